import { describe, expect, test } from 'vitest';
import { METHOD_PRESETS, MODEL_PRESETS, type ModelConfig } from '../../../../agent/config.ts';
import { parameterShapes } from '../../../../agent/weights/names.ts';
import { referenceModel } from '../../../../server/checkpoints/reference-model.ts';

const shapesOf = (model: ModelConfig, method: keyof typeof METHOD_PRESETS) =>
  new Map(Object.entries(parameterShapes({ model, modulation: METHOD_PRESETS[method] })));

describe('sizes read off the shapes of weights', () => {
  test.each(Object.keys(METHOD_PRESETS) as (keyof typeof METHOD_PRESETS)[])('give back %s at every size', (method) => {
    for (const model of [MODEL_PRESETS.paper, MODEL_PRESETS.medium]) {
      const read = referenceModel(shapesOf(model, method), {}, 'test');
      expect(read.model).toEqual(model);
      expect(read.modulation).toEqual(METHOD_PRESETS[method]);
    }
  });

  test('say what they took from the paper, and not what they were told', () => {
    const shapes = shapesOf(MODEL_PRESETS.paper, 'l2m-lora');
    expect(referenceModel(shapes, {}, 'test').assumed).toHaveLength(4);
    const told = { heads: 6, context: 20, actionSize: 3, scaling: 1 };
    const { model, modulation, assumed } = referenceModel(shapes, told, 'test');
    expect({ ...model, ...modulation }).toMatchObject(told);
    expect(assumed).toEqual([]);
  });

  test('are refused where they belong to no such model, or to an unknown modulator', () => {
    expect(() => referenceModel(new Map([['embed_ln.weight', [64]]]), {}, 'test')).toThrow(/blocks/);
    expect(() => referenceModel(new Map(), {}, 'test')).toThrow(/embed_ln/);
    const shapes = shapesOf(MODEL_PRESETS.paper, 'none').set('prompt.hopfield', [3]);
    expect(() => referenceModel(shapes, {}, 'test')).toThrow(/hopfield/);
  });
});
