import { describe, expect, test } from 'vitest';
import { MODEL_PRESETS, PAPER_OPTIONS, padToken, type PolicyOptions } from '../../../../agent/config.ts';
import { actionFromToken } from '../../../../agent/context/action-tokenizer.ts';
import { ContextWindow } from '../../../../agent/context/context-window.ts';
import { taskContext } from '../../../../agent/context/task-context.ts';
import { windowArrays } from '../../../../agent/context/window-arrays.ts';
import { allocateBatch, type BatchArrays } from '../../../../server/learning/batch-arrays.ts';
import { highestReturn, learningTask } from '../../../../server/learning/learning-task.ts';
import { standardisationTable } from '../../../../server/learning/standardisation.ts';
import { windowSampler, type WindowSamplerOptions } from '../../../../server/learning/window-sampler.ts';
import { CUP, REACH, sampleTrajectories } from './sample-trajectories.ts';

const model = MODEL_PRESETS.tiny;
const T = model.context;
const prepared = (lengths: readonly number[], successAt?: number) =>
  learningTask(sampleTrajectories(REACH, lengths, successAt), { model, heldOutShare: 0 });
const options: WindowSamplerOptions = {
  seed: 7,
  split: 'training',
  policy: { model, options: PAPER_OPTIONS },
  alternateDomains: false,
  afterSuccessWeight: 1,
};

/** Timesteps of the first real step of every window, and the number of real steps. */
function windowsOf(batch: BatchArrays): { start: number; steps: number }[] {
  return Array.from({ length: batch.size }, (_, window) => {
    const mask = [...batch.stepMask.subarray(window * T, (window + 1) * T)];
    const steps = mask.reduce((sum, kept) => sum + kept, 0);
    expect(mask).toEqual([...new Array<number>(T - steps).fill(0), ...new Array<number>(steps).fill(1)]);
    return { start: batch.timesteps[window * T + T - steps]!, steps };
  });
}

describe('drawing windows', () => {
  test('every start of every episode is equally likely, and windows near the end are short', () => {
    const lengths = [3, 10, 27];
    const sampler = windowSampler([prepared(lengths)], options);
    const batch = allocateBatch(20_000, model);
    sampler.fill(batch, 0);
    const windows = windowsOf(batch);
    expect(sampler.windowCount).toBe(40);
    // Start 20 exists in one episode of three, start 5 in two, start 1 in all.
    const share = (start: number) => windows.filter((window) => window.start === start).length / windows.length;
    expect(share(20)).toBeCloseTo(1 / 40, 2);
    expect(share(5)).toBeCloseTo(2 / 40, 2);
    expect(share(1)).toBeCloseTo(3 / 40, 2);
    const short = windows.filter(({ steps }) => steps < T).length / windows.length;
    expect(short).toBeCloseTo((3 + 4 + 4) / 40, 2);
  });

  test('a window shows consecutive steps, scaled, with its targets, and pads on the left', () => {
    const task = prepared([4, 9]);
    const { observations, rewards, targets, actions } = task.trajectories;
    const batch = allocateBatch(300, model);
    windowSampler([task], options).fill(batch, 3);
    for (const [window, { start, steps }] of windowsOf(batch).entries()) {
      const at = window * T + T - steps;
      // Observations are random, so the first value tells the row.
      const row = observations.findIndex((value, i) => i % 6 === 0 && value === batch.states[at * model.stateSize]) / 6;
      const episode = row < 4 ? 0 : 1;
      expect(row - [0, 4][episode]!).toBe(start);
      const end = [4, 13][episode]!;
      expect(steps).toBe(Math.min(T, end - row));
      for (let step = 0; step < steps; step++) {
        const state = batch.states.subarray((at + step) * model.stateSize, (at + step + 1) * model.stateSize);
        expect([...state.subarray(0, 6)]).toEqual([...observations.subarray((row + step) * 6, (row + step + 1) * 6)]);
        expect(state.subarray(6).every((value) => value === 0)).toBe(true);
        expect(batch.timesteps[at + step]).toBe(start + step);
        expect(batch.rewards[at + step]).toBe(Math.fround(rewards[row + step]! / 200));
        const remaining = rewards.subarray(row + step, end).reduce((sum, reward) => sum + reward, 0);
        expect(batch.returnsToGo[at + step]).toBeCloseTo(remaining / 200, 5);
        for (let i = 0; i < 4; i++) {
          const cell = (at + step) * 6 + i;
          expect(
            Math.abs(actionFromToken(batch.actionTokens[cell]!, 64, true) - actions[(row + step) * 4 + i]!),
          ).toBeLessThanOrEqual(1 / 64);
          expect(
            Math.abs(actionFromToken(batch.targetTokens[cell]!, 64, true) - targets[(row + step) * 4 + i]!),
          ).toBeLessThanOrEqual(1 / 64);
        }
        expect([...batch.actionMask.subarray((at + step) * 6, (at + step + 1) * 6)]).toEqual([1, 1, 1, 1, 0, 0]);
        expect([...batch.actionTokens.subarray((at + step) * 6 + 4, (at + step + 1) * 6)]).toEqual([32, 32]);
      }
      for (let padded = window * T; padded < at; padded++) {
        expect(
          batch.states.subarray(padded * model.stateSize, (padded + 1) * model.stateSize).every((x) => x === 0),
        ).toBe(true);
        expect(batch.actionTokens.subarray(padded * 6, (padded + 1) * 6).every((x) => x === padToken(model))).toBe(
          true,
        );
        expect(batch.actionMask.subarray(padded * 6, (padded + 1) * 6).every((x) => x === 0)).toBe(true);
        expect([batch.returnsToGo[padded], batch.rewards[padded], batch.timesteps[padded]]).toEqual([0, 0, 0]);
      }
    }
  });

  test.each([REACH, CUP])('what is learned from $task looks like what is acted on, standardised too', (spec) => {
    const trajectories = sampleTrajectories(spec, [T]);
    const task = learningTask(trajectories, { model, heldOutShare: 0 });
    const policyOptions: PolicyOptions = {
      ...PAPER_OPTIONS,
      standardise: { [task.domain]: standardisationTable([task], model.stateSize) },
    };
    const policy = { model, options: policyOptions };
    const batch = allocateBatch(64, model);
    windowSampler([task], { ...options, policy }).fill(batch, 0);
    const whole = windowsOf(batch).findIndex(({ steps }) => steps === T);

    const context = taskContext(spec, policy, task.returnsToGo[0]!);
    const acting = new ContextWindow(policy);
    const { observationSize: width, actionSize } = trajectories.sizes;
    const observationAt = (row: number) => trajectories.observations.subarray(row * width, (row + 1) * width);
    acting.start({ task: context, observation: observationAt(0) });
    for (let row = 0; row + 1 < T; row++) {
      const executedAction = trajectories.actions.subarray(row * actionSize, (row + 1) * actionSize);
      acting.append({ executedAction, reward: trajectories.rewards[row]!, observation: observationAt(row + 1) });
    }
    const arrays = windowArrays(model, 1);
    acting.writeInto(arrays, 0);
    const learned = (part: Float32Array | Int32Array): number[] => {
      const size = part.length / batch.size;
      return [...part.subarray(whole * size, (whole + 1) * size)];
    };
    expect(learned(batch.states)).toEqual([...arrays.states]);
    expect(learned(batch.timesteps)).toEqual([...arrays.timesteps]);
    expect(learned(batch.stepMask)).toEqual([...arrays.stepMask]);
    learned(batch.returnsToGo).forEach((value, step) => expect(value).toBeCloseTo(arrays.returnsToGo[step]!, 5));
    // The newest action and reward are not known to a policy that acts.
    const known = (T - 1) * model.actionSize;
    expect(learned(batch.actionTokens).slice(0, known)).toEqual([...arrays.actionTokens].slice(0, known));
    expect(learned(batch.rewards).slice(0, T - 1)).toEqual([...arrays.rewards].slice(0, T - 1));
  });

  test('a batch depends on seed and index only, not on what was drawn before', () => {
    const task = prepared([50, 60]);
    const fill = (index: number, changes: Partial<WindowSamplerOptions> = {}) => {
      const batch = allocateBatch(16, model);
      windowSampler([task], { ...options, ...changes }).fill(batch, index);
      return batch;
    };
    const reused = allocateBatch(16, model);
    const sampler = windowSampler([task], options);
    for (const index of [0, 9, 4]) sampler.fill(reused, index);
    expect(fill(4)).toEqual(reused);
    expect(fill(5).timesteps).not.toEqual(fill(4).timesteps);
    expect(fill(4, { seed: 8 }).timesteps).not.toEqual(fill(4).timesteps);
  });

  test('windows after the first success are drawn as rarely as asked', () => {
    const batch = allocateBatch(20_000, model);
    windowSampler([prepared([100], 39)], { ...options, afterSuccessWeight: 0.25 }).fill(batch, 0);
    const settled = windowsOf(batch).filter(({ start }) => start >= 40).length / batch.size;
    expect(settled).toBeCloseTo((60 * 0.25) / (40 + 60 * 0.25), 1.7);
  });

  test('domains take strict turns if asked to, with their own scales and masks', () => {
    const cup = learningTask(sampleTrajectories(CUP, [300, 300]), { model, heldOutShare: 0 });
    const sampler = windowSampler([prepared([20]), cup], { ...options, alternateDomains: true });
    const batch = allocateBatch(8, model);
    for (const index of [0, 1, 2, 3]) {
      sampler.fill(batch, index);
      const dimensions = batch.actionMask.subarray(-6).reduce((sum, kept) => sum + kept, 0);
      expect(dimensions).toBe(index % 2 === 0 ? 4 : 2);
    }
    sampler.fill(batch, 1);
    const last = batch.size * T - 1;
    expect(batch.rewards[last]! * 100).toBeGreaterThan(0);
    expect(batch.states.subarray(last * 204 + 14, last * 204 + 18).some((value) => value !== 0)).toBe(true);
  });

  test('held-out episodes are never drawn for training', () => {
    const task = learningTask(sampleTrajectories(REACH, new Array<number>(40).fill(6)), { model, heldOutShare: 0.1 });
    expect(task.heldOut).toEqual([0, 11, 22, 33]);
    expect(task.training).toHaveLength(36);
    const { observations } = task.trajectories;
    const kept = new Set(
      task.heldOut.flatMap((episode) => [0, 1, 2, 3, 4, 5].map((step) => observations[(episode * 6 + step) * 6])),
    );
    const batch = allocateBatch(2000, model);
    const drawn = (split: 'training' | 'heldOut') => {
      windowSampler([task], { ...options, split }).fill(batch, 0);
      return Array.from({ length: batch.size }, (_, window) => batch.states[((window + 1) * T - 1) * model.stateSize]);
    };
    expect(drawn('training').some((value) => kept.has(value))).toBe(false);
    expect(drawn('heldOut').every((value) => kept.has(value))).toBe(true);
  });

  test('nothing to draw from is an error', () => {
    expect(() => windowSampler([prepared([5])], { ...options, split: 'heldOut' })).toThrow(RangeError);
  });

  test('noise moves states alone, in training alone, by its deviation', () => {
    const [clean, noisy] = [allocateBatch(50, model), allocateBatch(50, model)];
    const filled = (batch: BatchArrays, changes: Partial<WindowSamplerOptions>) => {
      const task = learningTask(sampleTrajectories(REACH, [30, 30, 30, 30]), { model, heldOutShare: 0.5 });
      windowSampler([task], { ...options, ...changes }).fill(batch, 0);
    };
    filled(clean, { split: 'heldOut' });
    filled(noisy, { split: 'heldOut', observationNoise: 0.5 });
    expect(noisy).toEqual(clean);
    filled(noisy, { observationNoise: 0.5 });
    // The noise draws from the same source as the windows: compare with what lies in the data.
    const states = Array.from({ length: 50 * T }, (_, step) => [...noisy.states.slice(step * 204, step * 204 + 6)]);
    const { observations } = sampleTrajectories(REACH, [30, 30, 30, 30]);
    const distances = states
      .filter((_, step) => noisy.stepMask[step] === 1)
      .map((state) => {
        let nearest = Infinity;
        for (let row = 0; row < observations.length / 6; row++) {
          const squares = state.map((value, i) => (value - observations[row * 6 + i]!) ** 2);
          nearest = Math.min(nearest, Math.sqrt(squares.reduce((a, b) => a + b, 0) / 6));
        }
        return nearest;
      });
    const mean = distances.reduce((a, b) => a + b, 0) / distances.length;
    expect(mean).toBeGreaterThan(0.2);
    expect(mean).toBeLessThan(0.6);
    const beyond = Array.from({ length: 50 * T }, (_, step) => noisy.states.slice(step * 204 + 6, (step + 1) * 204));
    expect(beyond.every((rest) => rest.every((value) => value === 0))).toBe(true);
  });

  test('late windows say that less was gathered and more time has gone, in training alone, and show the same otherwise', () => {
    const lengths = [40, 40, 40, 40];
    const task = learningTask(sampleTrajectories(REACH, lengths), { model, heldOutShare: 0.5 });
    const { observations, rewards } = task.trajectories;
    const best = highestReturn(task);
    const filled = (changes: Partial<WindowSamplerOptions>) => {
      const batch = allocateBatch(300, model);
      windowSampler([task], { ...options, ...changes }).fill(batch, 0);
      return batch;
    };
    expect(filled({ split: 'heldOut', lateShare: 1 })).toEqual(filled({ split: 'heldOut' }));
    const batch = filled({ lateShare: 0.5 });
    let late = 0;
    for (const [window, { start, steps }] of windowsOf(batch).entries()) {
      const at = window * T + T - steps;
      const row = observations.findIndex((value, i) => i % 6 === 0 && value === batch.states[at * model.stateSize]) / 6;
      const later = start - (row % 40);
      const owed = batch.returnsToGo[at]! * 200 - task.returnsToGo[row]!;
      expect(later).toBeGreaterThanOrEqual(0);
      expect(start + steps).toBeLessThanOrEqual(40);
      expect(owed).toBeGreaterThanOrEqual(-1e-3);
      expect(owed).toBeLessThanOrEqual(Math.max(0, best - task.returnsToGo[row]!) + 1e-3);
      if (later > 0 || owed > 1e-3) late++;
      // Within a window time goes on by one and what was gathered is taken off, as ever.
      for (let step = 1; step < steps; step++) {
        expect(batch.timesteps[at + step]).toBe(start + step);
        const gathered = (batch.returnsToGo[at + step - 1]! - batch.returnsToGo[at + step]!) * 200;
        expect(gathered).toBeCloseTo(rewards[row + step - 1]!, 3);
      }
    }
    expect(late / batch.size).toBeGreaterThan(0.4);
    expect(late / batch.size).toBeLessThan(0.55);
  });
});
