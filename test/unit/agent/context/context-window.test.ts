import { describe, expect, it } from 'vitest';
import { PAPER_OPTIONS, type PolicyOptions } from '../../../../agent/config.ts';
import { ContextWindow } from '../../../../agent/context/context-window.ts';
import { taskContext, type TaskContext } from '../../../../agent/context/task-context.ts';
import { windowArrays, type WindowArrays } from '../../../../agent/context/window-arrays.ts';

const MODEL = {
  width: 16,
  blocks: 1,
  heads: 1,
  context: 3,
  stateSize: 204,
  actionSize: 6,
  bins: 64,
  maximumTimestep: 10,
};
const PENDULUM = {
  task: 'dmcontrol/pendulum-swingup',
  observation: [
    { name: 'orientation', size: 2 },
    { name: 'velocity', size: 1 },
  ],
  actionSize: 1,
} as const;

function setUp(options: Partial<PolicyOptions> = {}, targetReturn = 500) {
  const config = { model: MODEL, options: { ...PAPER_OPTIONS, ...options } };
  const task: TaskContext = taskContext({ ...PENDULUM, observation: [...PENDULUM.observation] }, config, targetReturn);
  return { window: new ContextWindow(config), task, arrays: windowArrays(MODEL, 2) };
}

const row = (arrays: WindowArrays, name: 'returnsToGo' | 'rewards' | 'timesteps' | 'stepMask'): number[] =>
  Array.from(arrays[name].slice(3, 6));
const state = (arrays: WindowArrays, step: number): number[] => {
  const values = arrays.states.slice((3 + step) * 204, (4 + step) * 204);
  expect(values.reduce((count, x) => count + (x === 0 ? 0 : 1), 0)).toBeLessThanOrEqual(3);
  return [values[140]!, values[141]!, values[14]!];
};
const tokens = (arrays: WindowArrays, step: number): number[] =>
  Array.from(arrays.actionTokens.slice((3 + step) * 6, (4 + step) * 6));

const step = (action: number, reward: number, base: number) => ({
  executedAction: [action],
  reward,
  observation: [base, base + 0.25, base + 0.5],
});

describe('context window', () => {
  it('starts with one real step behind padding', () => {
    const { window, task, arrays } = setUp();
    window.start({ task, observation: [1, 2, 3, 99] });
    window.writeInto(arrays, 1);
    expect(row(arrays, 'stepMask')).toEqual([0, 0, 1]);
    expect(row(arrays, 'timesteps')).toEqual([0, 0, 0]);
    expect(row(arrays, 'returnsToGo')).toEqual([0, 0, 5]);
    expect(state(arrays, 2)).toEqual([1, 2, 3]);
    expect(state(arrays, 1)).toEqual([0, 0, 0]);
    expect(tokens(arrays, 1)).toEqual([64, 64, 64, 64, 64, 64]);
    expect(tokens(arrays, 2)).toEqual([32, 32, 32, 32, 32, 32]);
    expect(arrays.stepMask.slice(0, 3)).toEqual(new Float32Array(3));
  });

  it('keeps the last steps in order, with executed actions, scaled rewards and what is left of the return', () => {
    const { window, task, arrays } = setUp();
    window.start({ task, observation: [0, 0, 0] });
    for (let i = 1; i <= 4; i++) window.append(step(i / 8, 10 * i, i));
    window.writeInto(arrays, 1);
    expect(row(arrays, 'stepMask')).toEqual([1, 1, 1]);
    expect(row(arrays, 'timesteps')).toEqual([2, 3, 4]);
    [4.7, 4.4, 4].forEach((value, i) => expect(row(arrays, 'returnsToGo')[i]).toBeCloseTo(value, 5));
    [0.3, 0.4, 0].forEach((value, i) => expect(row(arrays, 'rewards')[i]).toBeCloseTo(value, 5));
    expect([state(arrays, 0), state(arrays, 2)]).toEqual([
      [2, 2.25, 2.5],
      [4, 4.25, 4.5],
    ]);
    expect(tokens(arrays, 0)).toEqual([44, 32, 32, 32, 32, 32]);
    expect(tokens(arrays, 1)).toEqual([48, 32, 32, 32, 32, 32]);
    expect(tokens(arrays, 2)).toEqual([32, 32, 32, 32, 32, 32]);
  });

  it('does not raise the return-to-go above its start for a negative reward', () => {
    const { window, task } = setUp();
    window.start({ task, observation: [0, 0, 0] });
    window.append(step(0, -100, 1));
    expect(window.returnToGo).toBe(5);
    window.append(step(0, 100, 1));
    expect(window.returnToGo).toBe(4);
    window.append(step(0, -300, 1));
    expect(window.returnToGo).toBe(5);
  });

  it('shows nothing of the episode before', () => {
    const { window, task, arrays } = setUp();
    window.start({ task, observation: [1, 1, 1] });
    for (let i = 1; i <= 5; i++) window.append(step(0.5, 10, i));
    window.start({ task, observation: [7, 8, 9] });
    window.writeInto(arrays, 1);
    expect(row(arrays, 'stepMask')).toEqual([0, 0, 1]);
    expect(state(arrays, 2)).toEqual([7, 8, 9]);
    expect([state(arrays, 0), state(arrays, 1)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(window.returnToGo).toBe(5);
  });

  it('starts anew at the horizon if asked to', () => {
    const { window, task, arrays } = setUp({ restartAtHorizon: 4 });
    window.start({ task, observation: [0, 0, 0] });
    for (let i = 1; i <= 3; i++) window.append(step(0, 10, i));
    expect(window.timestep).toBe(3);
    window.append(step(0, 10, 4));
    window.writeInto(arrays, 1);
    expect(row(arrays, 'stepMask')).toEqual([0, 0, 1]);
    expect(row(arrays, 'returnsToGo')).toEqual([0, 0, 5]);
    expect(state(arrays, 2)).toEqual([4, 4.25, 4.5]);
    for (let i = 5; i <= 30; i++) window.append(step(0, 10, i));
    expect(() => window.writeInto(arrays, 0)).not.toThrow();
  });

  it('starts anew at the horizon of its domain', () => {
    const never = setUp({ restartAtHorizon: { metaworld: 4, dmcontrol: null } });
    const four = setUp({ restartAtHorizon: { metaworld: null, dmcontrol: 4 } });
    for (const { window, task } of [never, four]) {
      window.start({ task, observation: [0, 0, 0] });
      for (let i = 1; i <= 6; i++) window.append(step(0, 10, i));
    }
    expect(never.window.timestep).toBe(6);
    expect(four.window.timestep).toBe(2);
  });

  it('refuses a step that the model has no code for', () => {
    const { window, task, arrays } = setUp();
    window.start({ task, observation: [0, 0, 0] });
    for (let i = 1; i <= 9; i++) window.append(step(0, 1, i));
    window.writeInto(arrays, 0);
    window.append(step(0, 1, 10));
    expect(() => window.writeInto(arrays, 0)).toThrow('step 10 of an episode, the policy has codes for 10');
  });

  it('can repeat the all-zero first state of the reference, from the second episode on', () => {
    const { window, task, arrays } = setUp({ startObservation: 'zero' });
    window.start({ task, observation: [1, 2, 3], isFirst: true });
    window.writeInto(arrays, 1);
    expect(state(arrays, 2)).toEqual([1, 2, 3]);
    window.start({ task, observation: [1, 2, 3], isFirst: false });
    window.append(step(0, 0, 5));
    window.writeInto(arrays, 1);
    expect([state(arrays, 1), state(arrays, 2)]).toEqual([
      [0, 0, 0],
      [5, 5.25, 5.5],
    ]);
  });

  it('standardises real steps, used and unused dimensions alike, and leaves padding at zero', () => {
    const table = { mean: Array<number>(204).fill(1), deviation: Array<number>(204).fill(0.49) };
    const { window, task, arrays } = setUp({ standardise: { dmcontrol: table } });
    window.start({ task, observation: [2, 1, 0] });
    window.writeInto(arrays, 1);
    const values = arrays.states.slice(5 * 204, 6 * 204);
    expect([values[140], values[141], values[14], values[0], values[203]]).toEqual([2, 0, -2, -2, -2]);
    expect(arrays.states.slice(4 * 204, 5 * 204)).toEqual(new Float32Array(204));
  });

  it('refuses a task with more actions than the policy, a table of another size, and use before the start', () => {
    const config = { model: MODEL, options: PAPER_OPTIONS };
    const wide = { ...PENDULUM, observation: [...PENDULUM.observation], actionSize: 7 };
    expect(() => taskContext(wide, config, 1)).toThrow('has 7 action dimensions, the policy has 6');
    expect(() => setUp({ standardise: { dmcontrol: { mean: [1], deviation: [1] } } })).toThrow('204 entries');
    const { window, arrays } = setUp();
    expect(() => window.writeInto(arrays, 0)).toThrow('before its start');
  });
});
