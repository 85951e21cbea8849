import { describe, expect, it } from 'vitest';
import { MODEL_PRESETS, PAPER_OPTIONS } from '../../../../agent/config.ts';
import { observationLayout } from '../../../../agent/context/observation-layout.ts';
import { stateIndices } from '../../../../agent/context/state-mapping.ts';
import { taskContext } from '../../../../agent/context/task-context.ts';
import type { TaskSpec } from '../../../../protocol/task.ts';

type Spec = Pick<TaskSpec, 'task' | 'observation' | 'actionSize'>;
const spec = (task: string, parts: Readonly<Record<string, number>>, actionSize: number): Spec => ({
  task: task,
  actionSize,
  observation: Object.entries(parts).map(([name, size]) => ({ name, size })),
});
const layoutOf = (each: Spec): string =>
  observationLayout({ stateIndices: stateIndices(each, 204), actionSize: each.actionSize });

const REACH = spec('metaworld/reach-v3', { state: 39 }, 4);
const SWINGUP = spec('dmcontrol/cartpole-swingup', { position: 3, velocity: 2 }, 1);
const BALL = spec('dmcontrol/ball_in_cup-catch', { position: 4, velocity: 4 }, 2);

describe('the layout of observations', () => {
  it('is the spans of the unified vector that a task fills, and its action dimensions', () => {
    expect(layoutOf(REACH)).toBe('0-38/4');
    expect(layoutOf(SWINGUP)).toBe('14-15,41-43/1');
    expect(observationLayout({ stateIndices: Int32Array.of(9, 3, 4, 7), actionSize: 2 })).toBe('3-4,7,9/2');
  });

  it('is shared by tasks of one robot with the same sensors, in whatever order they come, and by no other', () => {
    const balance = spec('dmcontrol/cartpole-balance', { velocity: 2, position: 3 }, 1);
    expect(layoutOf(balance)).toBe(layoutOf(SWINGUP));
    expect(layoutOf({ ...REACH, task: 'metaworld/push-v3' })).toBe(layoutOf(REACH));
    expect(layoutOf(BALL)).not.toBe(layoutOf(SWINGUP));
    // Same entries, another robot.
    expect(layoutOf({ ...SWINGUP, actionSize: 2 })).not.toBe(layoutOf(SWINGUP));
  });

  it('has a place in a policy that tells keys apart by it; one that is not in its order has none', () => {
    const policy = (layoutOrder: readonly string[]) => ({
      model: MODEL_PRESETS.tiny,
      options: { ...PAPER_OPTIONS, layoutOrder },
    });
    const order = policy([layoutOf(REACH), layoutOf(SWINGUP)]);
    expect([REACH, SWINGUP, BALL].map((each) => taskContext(each, order, 0).searchGroup)).toEqual([0, 1, -1]);
  });
});
