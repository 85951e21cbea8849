import { beforeAll, describe, expect, it } from 'vitest';
import { ADAMW, adamwStep, biasCorrections } from '../../../../agent/learning/adamw.ts';
import {
  learningRateAt,
  PAPER_FINE_TUNING,
  PAPER_PRETRAINING,
  referenceBatches,
} from '../../../../agent/learning/schedule.ts';
import { decays, trainableNames } from '../../../../agent/learning/trainable.ts';
import { MODEL_PRESETS, PAPER_MODULATION } from '../../../../agent/config.ts';
import { scalar, tensor, tidy } from '../../../../agent/ops.ts';
import { startBackend } from '../support/backend.ts';

describe('AdamW', () => {
  beforeAll(() => startBackend('cpu'));

  it('follows the published update in double precision, clipping included', () => {
    const gradients = [
      [0.3, -0.4, 2],
      [0.01, 0.02, -0.03],
    ];
    // By hand: the norm of the first step is clipped to 0.25, that of the second is not.
    const wanted = [1, -2, 0.5];
    const first = [0, 0, 0];
    const second = [0, 0, 0];
    let state = { parameters: [tensor(wanted)], firstMoments: [tensor(first)], secondMoments: [tensor(second)] };
    gradients.forEach((gradient, i) => {
      const norm = Math.hypot(...gradient);
      const clip = Math.min(1, 0.25 / (norm + 1e-6));
      const [correction1, correction2] = biasCorrections(i + 1);
      wanted.forEach((_, k) => {
        const g = gradient[k]! * clip;
        first[k] = 0.9 * first[k]! + 0.1 * g;
        second[k] = 0.999 * second[k]! + 0.001 * g * g;
        const direction = first[k] / correction1 / (Math.sqrt(second[k] / correction2) + 1e-8);
        wanted[k] = wanted[k]! * (1 - 0.1 * ADAMW.weightDecay) - 0.1 * direction;
      });
      const scalars = {
        learningRate: scalar(0.1),
        biasCorrection1: scalar(correction1),
        biasCorrection2: scalar(correction2),
      };
      const next = adamwStep(state, [tensor(gradient)], { scalars, decayed: [true] });
      expect(next.gradientNorm.dataSync()[0]).toBeCloseTo(norm, 5);
      state = {
        parameters: [...next.parameters] as typeof state.parameters,
        firstMoments: [...next.firstMoments] as typeof state.parameters,
        secondMoments: [...next.secondMoments] as typeof state.parameters,
      };
    });
    [...state.parameters[0]!.dataSync()].forEach((value, k) => expect(value).toBeCloseTo(wanted[k]!, 5));
  });

  it('does not decay what is not to be decayed', () => {
    const moved = tidy(() => {
      const zero = tensor([0]);
      const scalars = { learningRate: scalar(1), biasCorrection1: scalar(0.1), biasCorrection2: scalar(0.001) };
      const state = { parameters: [tensor([3]), tensor([3])], firstMoments: [zero, zero], secondMoments: [zero, zero] };
      const next = adamwStep(state, [zero, zero], { scalars, decayed: [true, false] });
      return next.parameters.map((x) => x.dataSync()[0]) as unknown as number[];
    });
    expect(moved[0]).toBeCloseTo(2.97, 6);
    expect(moved[1]).toBe(3);
  });

  it('decays the matrices of Linear and Conv1D layers only', () => {
    const config = { model: MODEL_PRESETS.tiny, modulation: PAPER_MODULATION };
    const names = [...trainableNames('model', config), ...trainableNames('pool', config)];
    const kinds = names.filter(decays).map((name) => name.replace(/h\.\d/, 'h'));
    expect([...new Set(kinds)].sort()).toEqual([
      'action_net.0.weight',
      'embed_return.weight',
      'embed_rewards.weight',
      'embed_state.weight',
      'encoder.h.attn.c_attn.weight',
      'encoder.h.attn.c_proj.weight',
      'encoder.h.mlp.c_fc.weight',
      'encoder.h.mlp.c_proj.weight',
    ]);
  });

  it('knows the trainable sets', () => {
    const config = { model: MODEL_PRESETS.tiny, modulation: PAPER_MODULATION };
    expect(trainableNames('pool', config)).toEqual(['prompt.prompt_key', 'prompt.lora_a', 'prompt.lora_b']);
    expect(trainableNames('modulators', config)).toEqual(['prompt.lora_a', 'prompt.lora_b']);
    expect(trainableNames('head', config)).toEqual(['action_net.0.weight', 'action_net.0.bias']);
    expect(trainableNames('last-block', config).every((name) => name.startsWith('encoder.h.3.'))).toBe(true);
    expect(trainableNames('last-block', config)).toHaveLength(12);
  });
});

describe('learning rate', () => {
  it('warms up linearly, then falls as a cosine to its final value', () => {
    const at = (step: number): number => learningRateAt(PAPER_PRETRAINING, step);
    expect(at(0)).toBeCloseTo(1e-4 / 4000, 12);
    expect(at(1999)).toBeCloseTo(0.5e-4, 12);
    expect(at(3999)).toBeCloseTo(1e-4, 12);
    expect(at(4000 + 500_000)).toBeCloseTo((1e-4 + 1e-6) / 2, 12);
    expect(at(2_000_000)).toBeCloseTo(1e-6, 12);
    expect(learningRateAt(PAPER_FINE_TUNING, 99_999)).toBe(1e-4);
    expect(learningRateAt({ peak: 3, final: 1, warmUpSteps: 0, decaySteps: null }, 1e9)).toBe(3);
  });
});

describe('accumulation', () => {
  it('counts batches and rates as the reference does: an update after batch 0, then after every second', () => {
    expect([0, 1, 2, 3].map((update) => referenceBatches(update, 2))).toEqual([
      { first: 0, count: 1, tick: 0 },
      { first: 1, count: 2, tick: 2 },
      { first: 3, count: 2, tick: 4 },
      { first: 5, count: 2, tick: 6 },
    ]);
    expect([0, 1, 2].map((update) => referenceBatches(update, 1).first)).toEqual([0, 1, 2]);
  });
});
