import { describe, expect, test } from 'vitest';
import { checkModulationConfig, METHOD_PRESETS, MODEL_PRESETS } from '../../../../agent/config.ts';
import { trainableNames } from '../../../../agent/learning/trainable.ts';
import { poolShapes } from '../../../../agent/weights/names.ts';
import {
  CONTINUAL_METHODS,
  methodNamed,
  modulationOf,
  type ContinualMethod,
  type MethodName,
  type ModulationChanges,
} from '../../../../server/continual/methods.ts';

const layout = { model: MODEL_PRESETS.paper, tasks: 10, others: 8, identityKeys: 30, keysPerTask: 10 };
const method = (name: MethodName): ContinualMethod => CONTINUAL_METHODS[name];

describe('methods of continual learning', () => {
  test('have every preset of the agent, and sizes that a model can have', () => {
    const used = Object.values(CONTINUAL_METHODS).map(({ modulation }) => JSON.stringify(modulation));
    for (const preset of Object.values(METHOD_PRESETS)) expect(used).toContain(JSON.stringify(preset));
    for (const name of Object.keys(CONTINUAL_METHODS) as MethodName[]) {
      const modulation = modulationOf(method(name), layout);
      expect(() => checkModulationConfig(modulation)).not.toThrow();
      const names = trainableNames(method(name).trainable, { model: layout.model, modulation });
      expect(names.length, name).toBeGreaterThan(0);
    }
  });

  test('leave the paper’s method exactly as published', () => {
    expect(methodNamed('paper')).toBe('l2m-lora');
    const modulation = modulationOf(method('l2m-lora'), layout);
    expect(modulation).toEqual({ kind: 'lora', poolSize: 30, keyCount: 30, rank: 8, scaling: 2 });
    const sizes = Object.values(poolShapes(layout.model, modulation)).map((shape) => shape.reduce((a, b) => a * b));
    // Spec §8: 13,294,080 trainable parameters.
    expect(sizes.reduce((a, b) => a + b)).toBe(13_294_080);
  });

  test('give the oracle floor(P / n) keys a task, and groups that never learn to tasks that are only evaluated', () => {
    expect(modulationOf(method('l2m-oracle'), layout)).toMatchObject({ poolSize: 54, keyCount: 54, taskGroups: 18 });
  });

  test('give fitted keys a row for the identity and one a task, and learn no key', () => {
    const modulation = modulationOf(method('fitted-keys'), layout);
    expect(modulation).toMatchObject({ poolSize: 11, keyCount: 130, keyTable: true });
    const names = trainableNames('modulators', { model: layout.model, modulation });
    expect(names).toEqual(['prompt.lora_a', 'prompt.lora_b']);
  });

  test('search fitted keys by layout where settings say so, not where they are older than that', () => {
    const by = (changes: ModulationChanges) => modulationOf(method('fitted-keys'), { ...layout, changes });
    expect(by({ byLayout: true })).toMatchObject({ keyTable: true, byLayout: true });
    expect(by({ byLayout: false })).toEqual(by({}));
    expect(by({})).not.toHaveProperty('byLayout');
  });

  test('shrink the adapters with the model', () => {
    expect(modulationOf(method('adapter'), layout)).toMatchObject({ units: 48 });
    expect(modulationOf(method('adapter'), { ...layout, model: MODEL_PRESETS.tiny })).toMatchObject({ units: 8 });
  });

  test('are found by their names, with a suggestion for a wrong one', () => {
    expect(methodNamed(' FULL ')).toBe('full');
    expect(methodNamed('er')).toBe('replay');
    expect(() => methodNamed('fited-keys')).toThrow(
      expect.objectContaining({ code: 'L2M_CONFIG_INVALID', hint: expect.stringContaining('fitted-keys') as string }),
    );
  });
});
