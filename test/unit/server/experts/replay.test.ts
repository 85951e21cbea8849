import { describe, expect, it } from 'vitest';
import { drawBatch } from '../../../../server/experts/draw-batch.ts';
import { replayEpisodeOf } from '../../../../server/experts/replay-episode.ts';
import { emptyEpisode, Replay, type ReplayOptions, type ReplayTarget } from '../../../../server/experts/replay.ts';

const shape = { observationSize: 2, actionSize: 1, hidden: [4] };
const options: ReplayOptions = { shape, lanes: 2, decisions: 4, capacity: 1000 };

/** Every number says where it comes from: 100 * round + 10 * lane + step. */
const label = (round: number, lane: number, step: number) => 100 * round + 10 * lane + step;

function observe(replay: Replay, round: number, step: number): void {
  const rows = [0, 1].map((lane) => label(round, lane, step));
  replay.observe(
    Float32Array.from(rows.flatMap((value) => [value, -value])),
    Float32Array.from(rows, (value) => value - 1),
  );
  replay.act(Float32Array.from(rows, (value) => value / 1000));
}

function filled(steps: number, own = options): Replay {
  const replay = new Replay(own);
  for (let i = 0; i < steps; i++) observe(replay, Math.floor(i / own.decisions), i % own.decisions);
  return replay;
}

function target(rows: number): ReplayTarget {
  const floats = (size: number) => new Float32Array(rows * size);
  return { observations: floats(2), actions: floats(1), rewards: floats(1), nextObservations: floats(2) };
}

function everything(replay: Replay): number[][] {
  const to = target(replay.size);
  for (let i = 0; i < replay.size; i++) replay.copy(i, to, i);
  return Array.from({ length: replay.size }, (_, i) => [
    to.observations[2 * i]!,
    Math.round(1000 * to.actions[i]!),
    to.rewards[i]!,
    to.nextObservations[2 * i]!,
  ]);
}

describe('a replay', () => {
  it('has a transition as soon as what follows was seen, and none across episodes', () => {
    expect(filled(1).size).toBe(0);
    expect(everything(filled(2))).toEqual([
      [0, 0, 0, 1],
      [10, 10, 10, 11],
    ]);
    const two = everything(filled(6));
    expect(two).toHaveLength(2 * (3 + 1));
    for (const [before, action, reward, after] of two)
      expect([action, reward, after]).toEqual([before, before, before! + 1]);
    expect(two.at(-1)).toEqual([110, 110, 110, 111]);
  });

  it('counts the decisions whose consequence is known', () => {
    expect([0, 1, 2, 4, 5, 6].map((steps) => filled(steps).decided)).toEqual([0, 0, 2, 6, 8, 10]);
  });

  it('read back is the one that was filled step by step', () => {
    const live = filled(10);
    const restored = new Replay(options);
    restored.goOnFrom(live.round, live.observed, live.unfinished());
    for (let number = 0; number < 4; number++) {
      const [round, lane] = [Math.floor(number / 2), number % 2];
      const file = { observations: [] as number[], actions: [] as number[], rewards: [] as number[] };
      for (let step = 0; step < 4; step++) {
        const value = label(round, lane, step);
        file.observations.push(value, -value);
        file.actions.push(value / 1000);
        file.rewards.push(value);
      }
      const { observations, actions, rewards } = file;
      restored.put(
        number,
        replayEpisodeOf(
          {
            observations: Float32Array.from(observations),
            actions: Float32Array.from(actions),
            rewards: Float32Array.from(rewards),
          },
          shape,
          { horizon: 4, actionRepeat: 1 },
        ),
      );
    }
    expect(everything(restored)).toEqual(everything(live));
    observe(live, 2, 2);
    observe(restored, 2, 2);
    expect(everything(restored)).toEqual(everything(live));
  });

  it('forgets whole rounds beyond its capacity', () => {
    const replay = filled(14, { ...options, capacity: 12 });
    expect(replay.size).toBe(2 * (3 + 3 + 1));
    expect(everything(replay)[0]).toEqual([100, 100, 100, 101]);
    expect([replay.wants(1, 3), replay.wants(2, 3)]).toEqual([false, true]);
  });

  it('adds up the rewards of a repeated action', () => {
    const file = {
      observations: Float32Array.of(0, 0, 1, 1, 2, 2, 3, 3),
      actions: Float32Array.of(5, 5, 6, 6),
      rewards: Float32Array.of(1, 2, 3, 4),
    };
    const episode = replayEpisodeOf(file, shape, { horizon: 4, actionRepeat: 2 });
    expect([...episode.observations]).toEqual([0, 0, 2, 2]);
    expect([...episode.actions]).toEqual([5, 6]);
    expect([...episode.rewards]).toEqual([3, 7]);
    expect(emptyEpisode({ shape, decisions: 2 }).rewards).toHaveLength(2);
  });

  it('gives update n the same batch whenever it is drawn, and other updates others', () => {
    const replay = filled(40);
    const draw = (firstUpdate: number, updates: number) => {
      const batch = {
        ...target(8 * updates),
        noise: new Float32Array(8 * updates),
        nextNoise: new Float32Array(8 * updates),
      };
      drawBatch(batch, replay, { seed: 1, firstUpdate, updates });
      return batch;
    };
    const [both, second] = [draw(5, 2), draw(6, 1)];
    expect([...both.noise.slice(8)]).toEqual([...second.noise]);
    expect([...both.rewards.slice(8)]).toEqual([...second.rewards]);
    expect([...both.rewards.slice(0, 8)]).not.toEqual([...second.rewards]);
    expect([...second.noise]).not.toEqual([...second.nextNoise]);
  });
});
