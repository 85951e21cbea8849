import { describe, expect, it } from 'vitest';
import { checkModelConfig, MODEL_PRESETS, PAPER_OPTIONS, tokensPerStep } from '../../../agent/config.ts';

describe('configuration', () => {
  it('has presets that are valid, and options of the paper with nothing beyond it', () => {
    for (const preset of Object.values(MODEL_PRESETS)) expect(() => checkModelConfig(preset)).not.toThrow();
    expect(tokensPerStep(MODEL_PRESETS.paper) * MODEL_PRESETS.paper.context).toBe(45);
    expect(PAPER_OPTIONS).toMatchObject({ binCentres: false, restartAtHorizon: null });
    expect(PAPER_OPTIONS.standardise).toBeUndefined();
  });

  it.each([
    [{ heads: 5 }, 'model.width 128 is not a multiple of model.heads 5'],
    [{ blocks: 0 }, 'model.blocks is 0'],
    [{ width: 1.5 }, 'model.width is 1.5'],
    [{ bins: NaN }, 'model.bins is NaN'],
    [{ observationWaves: [3, 0] }, 'model.observationWaves is [3,0]'],
    [{ observationWaves: Array<number>(9).fill(1) }, 'not up to 8 frequencies in 0..1000'],
  ])('refuses %j', (change, message) => {
    expect(() => checkModelConfig({ ...MODEL_PRESETS.tiny, ...change })).toThrow(message);
  });
});
