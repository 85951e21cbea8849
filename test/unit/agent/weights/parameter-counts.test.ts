import { describe, expect, it } from 'vitest';
import { METHOD_PRESETS, MODEL_PRESETS, type ModulationConfig } from '../../../../agent/config.ts';
import { decays, trainableNames, type TrainableSet } from '../../../../agent/learning/trainable.ts';
import {
  modelShapes,
  parameterShapes,
  poolShapes,
  unusedShapes,
  type Shapes,
} from '../../../../agent/weights/names.ts';

const model = MODEL_PRESETS.paper;

const count = (shapes: Shapes): number =>
  Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((product, n) => product * n, 1), 0);

function trainable(set: TrainableSet, modulation: ModulationConfig): number {
  const shapes = parameterShapes({ model, modulation });
  return count(Object.fromEntries(trainableNames(set, { model, modulation }).map((name) => [name, shapes[name]!])));
}

/** Spec §3.1, §4, §8 and §10.1. */
describe('numbers of weights at the published sizes', () => {
  it.each([
    ['tiny_64', { width: 128, blocks: 1, heads: 2 }, 0.53],
    ['small_64', { width: 256, blocks: 3, heads: 4 }, 3.03],
    ['medium_64', { width: 512, blocks: 4, heads: 8 }, 13.93],
    ['large_64', { width: 768, blocks: 8, heads: 12 }, 58.7],
    ['larger', { width: 1024, blocks: 6, heads: 16 }, 78.2],
    ['largeplus_64', { width: 1024, blocks: 8, heads: 16 }, 103.4],
    ['huge', { width: 1280, blocks: 10, heads: 20 }, 200.1],
    ['hugeplus', { width: 1024, blocks: 24, heads: 16 }, 304.9],
  ])('%s has as many as the table says', (_, sizes, millions) => {
    const other = { ...model, ...sizes };
    const digits = millions < 20 ? 2 : 1;
    expect((count(modelShapes(other)) + count(unusedShapes(other))) / 1e6).toBeCloseTo(millions, digits);
  });

  it('the paper’s model has 44,503,566, and 57,797,646 with its pool', () => {
    const bare = count(modelShapes(model)) + count(unusedShapes(model));
    expect(bare).toBe(44_503_566);
    expect(bare + count(poolShapes(model, METHOD_PRESETS['l2m-lora']))).toBe(57_797_646);
  });

  it.each([
    ['l2m-lora', 13_294_080],
    ['l2m-ia3', 852_480],
    ['lora', 442_368],
    ['ia3', 27_648],
    ['adapter', 894_528],
    ['prompt-tuning', 19_200],
    ['p-tuning-v2', 115_200],
    ['prefix-tuning', 230_400],
    ['l2p-pt', 460_800],
    ['l2p-pv2', 2_380_800],
    ['l2p-pret', 4_684_800],
    ['none', 0],
  ] as const)('%s trains %d', (method, weights) => {
    expect(trainable('pool', METHOD_PRESETS[method])).toBe(weights);
  });

  it.each([
    ['head', 49_216],
    ['last-block', 7_087_872],
    ['last-block-and-head', 7_087_872 + 49_216],
    ['model', count(modelShapes(model))],
  ] as const)('fine-tuning of %s trains %d', (set, weights) => {
    expect(trainable(set, METHOD_PRESETS.none)).toBe(weights);
  });

  it('all keys of L2P are 76,800 of its weights, and one modulator of L2M-LoRA with its key 443,136', () => {
    const { 'l2p-pt': prompts, 'l2m-lora': lora } = METHOD_PRESETS;
    expect(trainable('pool', prompts) - trainable('modulators', prompts)).toBe(76_800);
    expect(trainable('pool', lora)).toBe(30 * (442_368 + 768));
  });

  it('decay only as matrices of adapters: pools and tables never do', () => {
    const methods = Object.values(METHOD_PRESETS);
    const names = methods.flatMap((modulation) => trainableNames('pool', { model, modulation }));
    const decaying = names.filter(decays);
    expect(decaying).toHaveLength(6 * 2 * 2);
    expect(decaying.every((name) => /\.adapter[12]\.adapter_(down\.0|up)\.weight$/.test(name))).toBe(true);
  });
});
