import { describe, expect, test } from 'vitest';
import type { EpisodeEnded, PageEvent } from '../../../protocol/dashboard-messages.ts';
import type { RunState } from '../../../protocol/dashboard-views.ts';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { INITIAL_STATE, leadingRun, reduce, type DashboardState } from '../../../dashboards/state.ts';
import { environmentView, runSummary } from '../server/live/samples.ts';

const welcome = (serverId: string): PageEvent => ({
  type: 'welcome',
  protocol: PROTOCOL_VERSION,
  serverId,
  role: 'operator',
});

const snapshot = (overrides: Partial<Extract<PageEvent, { type: 'snapshot' }>> = {}): PageEvent => ({
  type: 'snapshot',
  sequence: 1,
  runs: [],
  environments: [],
  workers: [],
  load: INITIAL_STATE.load,
  model: null,
  ...overrides,
});

const ended = (overrides: Partial<EpisodeEnded> = {}): EpisodeEnded => ({
  type: 'episode-ended',
  sequence: 5,
  key: 'w:0',
  run: 'run-1',
  episode: 1,
  task: 'metaworld/reach-v3',
  start: 0,
  outcome: 'success',
  length: 500,
  return: 1,
  successAtEnd: true,
  firstSuccessStep: 60,
  message: '',
  ...overrides,
});

function after(...events: PageEvent[]): DashboardState {
  return events.reduce(reduce, INITIAL_STATE);
}

function framesOf(keys: string[]): PageEvent {
  const tensor = { dtype: 'uint32' as const, shape: [0], frame: 0 };
  return {
    type: 'frames',
    frame: 1,
    keys,
    episodes: tensor,
    steps: tensor,
    rewards: tensor,
    returns: tensor,
    flags: tensor,
    selections: tensor,
    similarities: tensor,
    poseCounts: tensor,
    poses: tensor,
    load: INITIAL_STATE.load,
  };
}

describe('reduce', () => {
  test('a snapshot replaces everything but the log', () => {
    const state = after(
      welcome('a'),
      snapshot({ runs: [runSummary('old')], environments: [environmentView('w:0')] }),
      ended(),
      snapshot({ runs: [runSummary('new')] }),
    );
    expect(state.runs.map((run) => run.run)).toEqual(['new']);
    expect(state.environments.size).toBe(0);
    expect(state.outcomes.size).toBe(0);
    expect(state.log).toHaveLength(1);
  });

  test('the same server after a broken connection does not repeat its log', () => {
    const state = after(welcome('a'), snapshot(), ended(), welcome('a'), snapshot({ sequence: 9 }), ended());
    expect(state.log).toHaveLength(1);
  });

  test('another server starts from nothing', () => {
    const state = after(welcome('a'), snapshot({ runs: [runSummary('old')] }), ended(), welcome('b'));
    expect(state).toEqual({ ...INITIAL_STATE, serverId: 'b', role: 'operator' });
  });

  test('the outcome of an episode stays until the next one starts in its environment', () => {
    const running = after(snapshot({ environments: [environmentView('w:0')] }));
    const over = reduce(running, ended());
    expect(over.outcomes.get('w:0')?.outcome).toBe('success');
    const next: PageEvent = {
      type: 'episode-started',
      sequence: 6,
      environment: environmentView('w:0', { episode: 2 }),
    };
    expect(reduce(over, next).outcomes.size).toBe(0);
    expect(reduce(running, ended({ episode: 7 })).outcomes.size).toBe(0);
  });

  test('an environment that a picture does not list is gone', () => {
    const state = after(snapshot({ environments: [environmentView('w:0'), environmentView('w:1')] }));
    expect([...reduce(state, framesOf(['w:1'])).environments.keys()]).toEqual(['w:1']);
  });

  test('a picture of what is known leaves the parts as they are, so that no view is drawn again', () => {
    const state = after(snapshot({ environments: [environmentView('w:0')] }), ended());
    const next = reduce(state, framesOf(['w:0']));
    expect(next.environments).toBe(state.environments);
    expect(next.outcomes).toBe(state.outcomes);
    expect(next.runs).toBe(state.runs);
  });

  test('the log is bounded', () => {
    let state = INITIAL_STATE;
    for (let sequence = 1; sequence <= 1000; sequence++) state = reduce(state, ended({ sequence }));
    expect(state.log).toHaveLength(200);
    expect(state.log.at(-1)?.sequence).toBe(1000);
  });

  test('an update of an unknown run adds it', () => {
    const update = (run: string): PageEvent => ({ type: 'run-updated', sequence: 2, summary: runSummary(run) });
    expect(after(snapshot(), update('a'), update('b'), update('a')).runs.map((run) => run.run)).toEqual(['a', 'b']);
  });
});

test.each<[RunState[], number]>([
  [['finished', 'running', 'finished'], 1],
  [['running', 'running'], 1],
  [['finished', 'stopped'], 1],
  [['starting', 'failed'], 0],
  [['paused', 'starting'], 0],
])('of runs that are %j, number %i leads', (states, leading) => {
  const runs = states.map((state, index) => runSummary(`run-${index}`, { state }));
  expect(leadingRun(runs)?.run).toBe(`run-${leading}`);
});
