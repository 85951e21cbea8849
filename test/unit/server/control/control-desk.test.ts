import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ControlRequest, ControlUpdated } from '../../../../protocol/control-messages.ts';
import type { PageEvent } from '../../../../protocol/dashboard-messages.ts';
import { WIRE_LIMITS } from '../../../../protocol/limits.ts';
import type { TaskSpec } from '../../../../protocol/task.ts';
import { ControlDesk } from '../../../../server/control/control-desk.ts';
import { Hands } from '../../../../server/control/hands.ts';
import type { ControllingPage } from '../../../../server/live/page-control.ts';
import type { RunningView } from '../../../../server/rollouts/step-observer.ts';

const task = 'metaworld/reach-v3';
const spec = { task, actionSize: 4, controlTimestep: 0.0125 } as TaskSpec;
const KEY = 'worker-0:0';
const view = {
  key: KEY,
  run: 'evaluate-1',
  episode: 5,
  plan: { task, actor: { kind: 'server' } },
} as unknown as RunningView;
const learning = { ...view, key: 'worker-0:1', run: 'collect-1', episode: 6 };

class FakePage implements ControllingPage {
  readonly events: PageEvent[] = [];
  readonly role = 'operator';
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  send(event: PageEvent): void {
    this.events.push(event);
  }

  get control(): ControlUpdated {
    const told = this.events.findLast((event) => event.type === 'control-updated');
    if (told === undefined) throw new Error('nothing was told');
    return told;
  }
}

let desk: ControlDesk;
let notices: string[];
const [first, second] = [new FakePage(1), new FakePage(2)];

beforeEach(() => {
  vi.useFakeTimers();
  notices = [];
  const hands = new Hands({ specOf: () => spec, proceed: () => undefined, changed: () => desk.changed() });
  desk = new ControlDesk({
    hands,
    engine: { views: () => [view, learning], restart: () => undefined },
    runs: {
      pause: () => undefined,
      resume: () => undefined,
      stateOf: (run) =>
        run === 'nowhere' ? undefined : { state: 'running', kind: run === 'collect-1' ? 'collect' : 'evaluate' },
    },
    specOf: () => spec,
    bodiesOf: () => Promise.resolve(12),
    notice: (_, text) => notices.push(text),
  });
  for (const page of [first, second]) desk.opened(page);
});

afterEach(() => {
  desk.close();
  vi.useRealTimers();
});

async function asked(page: FakePage, request: ControlRequest): Promise<string> {
  const outcome = await desk.requested(page, request);
  vi.advanceTimersByTime(100);
  return outcome.ok ? 'ok' : `${outcome.error.code} ${outcome.error.message}`;
}

const seat = (action: 'request' | 'release' | 'steal') => ({ type: 'control-seat', action }) as const;
const command = (key: string, kind: 'pause' | 'resume') =>
  ({ type: 'control-simulation', target: { kind: 'environment', key }, command: { kind } }) as const;
const steer = (action: number[] | null, key = KEY, episode = 5) =>
  ({ type: 'teleoperate', key, episode, action }) as const;

describe('the desk of those who control', () => {
  it('tells every page who controls, each in its own words', async () => {
    expect(first.control).toMatchObject({ seat: 'free', controller: '' });
    expect(await asked(first, seat('request'))).toBe('ok');
    expect(await asked(second, seat('request'))).toBe('ok');
    expect(first.control).toMatchObject({ seat: 'mine', controller: 'page 1', waiting: 1, asked: false });
    expect(second.control).toMatchObject({ seat: 'other', controller: 'page 1', asked: true, stealable: false });
    vi.advanceTimersByTime(WIRE_LIMITS.controlSilenceMs + 1000);
    expect(second.control.stealable).toBe(true);
    expect(await asked(second, seat('steal'))).toBe('ok');
    expect([first.control.seat, second.control.seat]).toEqual(['other', 'mine']);
    desk.closed(second);
    vi.advanceTimersByTime(100);
    expect(first.control.seat).toBe('free');
  });

  it('refuses what does not make sense, and says why', async () => {
    expect(await asked(first, command(KEY, 'pause'))).toMatch(/^L2M_CONTROL_NEEDED .*nobody has it/);
    await asked(second, seat('request'));
    expect(await asked(first, command(KEY, 'pause'))).toMatch(/^L2M_CONTROL_NEEDED .*page 2 has it/);
    expect(await asked(second, command('worker-9:9', 'pause'))).toMatch(/^L2M_ENVIRONMENT_UNKNOWN .*worker-9:9/);
    expect(await asked(second, steer([1, 2, 3]))).toMatch(/^L2M_CONTROL_UNSUITED .*3 numbers, .* takes 4/);
    expect(await asked(second, steer([0, 0, 0, 0], learning.key, 6))).toMatch(/^L2M_CONTROL_UNSUITED .*collects data/);
    const nowhere = {
      type: 'control-simulation',
      target: { kind: 'run', run: 'nowhere' },
      command: { kind: 'step' },
    } as const;
    expect(await asked(second, nowhere)).toMatch(/^L2M_RUN_UNKNOWN/);
    const pull = { body: 12, point: [0, 0, 0], target: [0, 0, 0] };
    expect(await asked(second, { type: 'drag', key: KEY, episode: 5, pull })).toMatch(
      /body 12; those of .* are 1 to 11/,
    );
  });

  it('ignores what is about an episode that has just ended', async () => {
    await asked(first, seat('request'));
    expect(await asked(first, steer([1, 0, 0, 0], KEY, 4))).toBe('ok');
    expect(first.control.environments).toEqual([]);
    expect(await asked(first, steer([1, 0, 0, 0]))).toBe('ok');
    expect(first.control.environments).toMatchObject([{ key: KEY, hand: 'taking-over' }]);
  });

  it('lets go when the seat changes hands, and lifts pauses that nobody stands behind any more', async () => {
    await asked(first, seat('request'));
    await asked(first, command(KEY, 'pause'));
    await asked(first, steer([1, 0, 0, 0]));
    await asked(second, seat('request'));
    await asked(first, seat('release'));
    expect(second.control).toMatchObject({ seat: 'mine', environments: [{ paused: true, hand: 'policy' }] });
    vi.advanceTimersByTime(2 * WIRE_LIMITS.controlSilenceMs);
    expect(second.control.environments).toMatchObject([{ paused: true }]);
    desk.closed(second);
    vi.advanceTimersByTime(WIRE_LIMITS.controlSilenceMs + 1000);
    expect(first.control).toMatchObject({ seat: 'free', environments: [] });
    expect(notices.join()).toContain('Nobody is in control');
  });
});
