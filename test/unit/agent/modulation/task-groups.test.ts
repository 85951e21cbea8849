import { beforeAll, describe, expect, it } from 'vitest';
import { checkModulationConfig } from '../../../../agent/config.ts';
import { decide } from '../../../../agent/decision-transformer.ts';
import { lossAndGradients } from '../../../../agent/learning/gradients.ts';
import { selectKeys } from '../../../../agent/modulation/match.ts';
import { taskGroupBias } from '../../../../agent/modulation/task-groups.ts';
import { tensor, tidy, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const ORACLE = { kind: 'lora', poolSize: 7, keyCount: 7, taskGroups: 3, rank: 2, scaling: 2 } as const;
const config = { model: SMALL_MODEL, modulation: ORACLE };
const tasks = [0, 1, 2, 0, 1, 2];
const groupOf = (key: number): number => Math.floor(key / 2);
const read = (x: Tensor): number[] => Array.from(x.dataSync());

describe.each(TEST_BACKENDS)('L2M-oracle on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('leaves each window the keys of its own task; a rest belongs to none', () => {
    const allowed = tidy(() => read(taskGroupBias(tensor([0, 2], [2], 'int32'), ORACLE)).map((bias) => bias === 0));
    const [yes, no] = [true, false];
    expect(allowed).toEqual([yes, yes, no, no, no, no, no, no, no, no, no, yes, yes, no]);
  });

  it('decides which group is searched, and similarity which key in it, penalty or not', () => {
    tidy(() => {
      const cosines = tensor(Float32Array.of(-0.9, -0.8, 0.9, 0.9, 0.9, 0.9, 1), [1, 7]);
      const scoreBias = taskGroupBias(tensor([0], [1], 'int32'), ORACLE);
      expect(read(selectKeys(cosines, { scoreBias }))).toEqual([1]);
      const inverseCounts = tensor([1, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8]);
      expect(read(selectKeys(cosines, { scoreBias, inverseCounts }))).toEqual([0]);
    });
  });

  it('serves windows of several tasks in one batch, deciding and learning', () => {
    tidy(() => {
      const parameters = initialiseParameters(config, randomSource(1));
      const searchGroups = tensor(tasks, [tasks.length], 'int32');
      const batch = { ...randomBatch(SMALL_MODEL, tasks.length, randomSource(2)), searchGroups };
      const routing = {};
      const decision = decide(parameters, batch, { ...config, actionDimensions: 2, routing });
      expect(read(decision.selection!.keys).map(groupOf)).toEqual(tasks);
      const options = { ...config, pullWeight: 0.5, routing, trainableNames: ['prompt.prompt_key'] };
      const { selectedKeys, gradients } = lossAndGradients(parameters, batch, options);
      expect(read(selectedKeys!).map(groupOf)).toEqual(tasks);
      const pulled = read(gradients[0]!).flatMap((value, i) =>
        value === 0 ? [] : [Math.floor(i / SMALL_MODEL.width)],
      );
      expect(new Set(pulled)).toEqual(new Set(read(selectedKeys!)));
    });
  });

  it('refuses windows that do not say their task', () => {
    tidy(() => {
      const parameters = initialiseParameters(config, randomSource(1));
      const batch = randomBatch(SMALL_MODEL, 2, randomSource(2));
      expect(() => decide(parameters, batch, { ...config, actionDimensions: 2, routing: {} })).toThrow('searchGroups');
    });
  });

  it('refuses more tasks than keys, and groups smaller than what a window gets', () => {
    expect(() => checkModulationConfig({ ...ORACLE, taskGroups: 8 })).toThrow('gives each task 0 keys');
    const prompts = { kind: 'prompt-pool', form: 'tokens', poolSize: 8, keyCount: 8, length: 2, selected: 3 } as const;
    expect(() => checkModulationConfig(prompts)).not.toThrow();
    expect(() => checkModulationConfig({ ...prompts, taskGroups: 4 })).toThrow('gives each task 2 keys, of which 3');
    expect(() => checkModulationConfig({ ...prompts, length: 0 })).toThrow('modulation.length is 0');
  });
});
