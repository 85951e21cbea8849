import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodePageEvent, unpackFrames } from '../../../../protocol/codec.ts';
import type { PageEvent } from '../../../../protocol/dashboard-messages.ts';
import { tensorView } from '../../../../protocol/tensor.ts';
import type { Inspection } from '../../../../server/rollouts/acting-policy.ts';
import { PolicyWatch, POLICY_WATCH_LIMITS, type PolicyViewer } from '../../../../server/live/policy-watch.ts';

const KEY = 'worker-0:1';

function inspection(step: number, attended = false): Inspection {
  return {
    ...{ step, version: 3, selected: 1, binCentres: false },
    model: { blocks: 2, heads: 2, actionSize: 2, bins: 4 },
    probabilities: Float32Array.of(0.1, 0.2, 0.3, 0.4),
    tokens: Int32Array.of(3),
    returnsToGo: Float32Array.of(90),
    rewards: Float32Array.of(0),
    similarities: Float32Array.of(0.5, 0.75),
    keys: Float32Array.of(1, 2, 3, 4),
    shares: [0.5, 0.25],
    points: Float32Array.of(0, 1, 2, 3),
    attention: attended ? { choice: { block: 1, head: 0 }, weights: new Float32Array(9).fill(1 / 3) } : null,
  };
}

class Viewer implements PolicyViewer {
  slow = false;
  room = true;
  readonly events: PageEvent[] = [];
  readonly frames: Uint8Array[][] = [];
  offer(bytes: Uint8Array): boolean {
    if (!this.room) return false;
    const frames = unpackFrames(bytes);
    const decoded = frames.ok ? decodePageEvent(frames.value) : frames;
    if (!decoded.ok) throw new Error(decoded.error.message);
    this.events.push(decoded.value.message);
    this.frames.push([...decoded.value.frames]);
    return true;
  }
  send(event: PageEvent): void {
    this.events.push(event);
  }
  of<Type extends PageEvent['type']>(type: Type): Extract<PageEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<PageEvent, { type: Type }> => event.type === type);
  }
}

let step: number;
let asked: (boolean | string)[];
let answer: (attended: boolean) => Promise<Inspection> | string | undefined;
let watch: PolicyWatch;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });
  step = 5;
  asked = [];
  answer = (attended) => Promise.resolve(inspection(step, attended));
  watch = new PolicyWatch({
    place: (key) => (key === KEY ? `17:${step}` : undefined),
    inspect: (_key, attention) => {
      asked.push(attention !== null);
      return answer(attention !== null);
    },
    usage: () => ({ run: 'run-1', tasks: ['metaworld/reach-v3'], usage: Uint32Array.of(4, 9) }),
  });
});

afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

const request = (key: string | null, attention: { block: number; head: number } | null = null) =>
  ({ type: 'watch-policy', key, attention }) as const;

/** Lets time pass, a step of the environment each 100 ms, and confirms what comes. */
async function pass(ms: number, confirming: readonly Viewer[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    step += 1;
    await vi.advanceTimersByTimeAsync(100);
    for (const viewer of confirming) {
      for (const event of viewer.events) if ('number' in event) watch.acknowledged(viewer, event.number);
    }
  }
}

describe('PolicyWatch', () => {
  it('asks nothing while nobody watches, and nothing again when the last has gone', async () => {
    const viewer = new Viewer();
    await pass(1000, []);
    watch.watch(viewer, request(KEY));
    await pass(500, [viewer]);
    const before = asked.length;
    expect(before).toBeGreaterThan(0);
    watch.watch(viewer, request(null));
    await pass(1000, []);
    watch.watch(viewer, request(KEY));
    watch.closed(viewer);
    await pass(1000, []);
    expect(asked).toHaveLength(before);
    expect(watch.watching).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('shows the decision with its episode and numbers, and the pool once a second', async () => {
    const viewer = new Viewer();
    watch.watch(viewer, request(KEY));
    await pass(2500, [viewer]);
    const [first] = viewer.of('decision');
    expect(first).toMatchObject({ key: KEY, episode: 17, step: 6, selected: 1, tokensPerStep: 5, attended: null });
    const frames = viewer.frames[0]!;
    expect([...tensorView(first!.probabilities, frames, 'float32')]).toEqual([...Float32Array.of(0.1, 0.2, 0.3, 0.4)]);
    expect(first!.probabilities.shape).toEqual([1, 4]);
    expect(viewer.of('pool')).toHaveLength(3);
    expect(viewer.of('pool')[0]).toMatchObject({ run: 'run-1', version: 3, shares: [0.5, 0.25] });
  });

  it('asks for attention only where a page wants it', async () => {
    const [plain, curious] = [new Viewer(), new Viewer()];
    watch.watch(plain, request(KEY));
    await pass(300, [plain]);
    expect(asked).not.toContain(true);
    watch.watch(curious, request(KEY, { block: 1, head: 0 }));
    await pass(600, [plain, curious]);
    expect(asked).toContain(true);
    expect(curious.of('decision')[0]).toMatchObject({ attended: { block: 1, head: 0 } });
    expect(curious.of('decision')[0]!.attention.shape).toEqual([3, 3]);
    expect(plain.of('decision').every(({ attended }) => attended === null)).toBe(true);
  });

  it('asks once for all pages that watch the same', async () => {
    const viewers = Array.from({ length: 20 }, () => new Viewer());
    for (const viewer of viewers) watch.watch(viewer, request(KEY));
    await pass(1000, viewers);
    expect(asked.length).toBeLessThanOrEqual(10);
    for (const viewer of viewers) expect(viewer.of('decision').length).toBe(asked.length);
  });

  it('sends a page that does not answer one message in two seconds, and none while its socket is full', async () => {
    const [stalled, full, good] = [new Viewer(), new Viewer(), new Viewer()];
    full.room = false;
    for (const viewer of [stalled, full, good]) watch.watch(viewer, request(KEY));
    await pass(4000, [good]);
    expect(stalled.of('decision').length).toBeLessThanOrEqual(2);
    expect(full.events).toHaveLength(0);
    expect(good.of('decision').length).toBeGreaterThan(20);
  });

  it('does not ask again about a step that it has shown: a paused run costs nothing', async () => {
    const viewer = new Viewer();
    watch.watch(viewer, request(KEY));
    await pass(300, [viewer]);
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked.length).toBeLessThanOrEqual(before + 1);
    watch.watch(viewer, request(KEY, { block: 0, head: 1 }));
    await vi.advanceTimersByTimeAsync(500);
    expect(asked.at(-1)).toBe(true);
  });

  it('keeps to its share of the time however long an answer takes', async () => {
    const viewer = new Viewer();
    answer = () => new Promise((resolve) => setTimeout(() => resolve(inspection(step)), 200));
    watch.watch(viewer, request(KEY));
    await pass(20_000, [viewer]);
    expect(asked.length).toBeGreaterThanOrEqual(8);
    expect(asked.length).toBeLessThanOrEqual(20_000 / (200 / POLICY_WATCH_LIMITS.share) + 1);
  });

  it('gives up an answer that does not come, and goes on with the next decision', async () => {
    const viewer = new Viewer();
    answer = () => new Promise(() => undefined);
    watch.watch(viewer, request(KEY));
    await pass(1000, [viewer]);
    expect(asked).toHaveLength(1);
    answer = () => Promise.resolve(inspection(step));
    await pass(110_000, [viewer]);
    expect(viewer.of('decision').length).toBeGreaterThan(0);
  });

  it('says once why there is nothing to see, and says failures in words', async () => {
    const viewer = new Viewer();
    answer = () => 'it is random';
    watch.watch(viewer, request(KEY));
    await pass(1000, [viewer]);
    expect(viewer.events).toEqual([{ type: 'no-decision', key: KEY, reason: 'it is random' }]);
    answer = () => Promise.reject(new Error('broken'));
    await pass(1000, [viewer]);
    expect(viewer.of('no-decision')).toHaveLength(2);
    answer = () => undefined;
    await pass(1000, [viewer]);
    expect(viewer.events).toHaveLength(2);
  });
});
