import { describe, expect, it } from 'vitest';
import {
  checkAdaptationSettings,
  learnerSettings,
  REPORT_SEED,
  SMALL_ADAPTATION,
  startSeed,
  type AdaptationSettings,
} from '../../../../server/adaptation/adaptation-settings.ts';

const SETTINGS: AdaptationSettings = {
  ...SMALL_ADAPTATION,
  ...{ task: 'metaworld/reach-v3', seed: 42, success: 'any-time', targetReturn: null, afterSuccessWeight: 1 },
  ...{ identityTasks: ['metaworld/push-v3'], identityKeys: 10, others: [] },
};

describe('settings of an adaptation', () => {
  it('keep what is learned from, what decides and what is reported apart', () => {
    const seeds = [startSeed(SETTINGS, 'rollouts'), startSeed(SETTINGS, 'pairs'), REPORT_SEED];
    expect(new Set(seeds).size).toBe(3);
    expect(startSeed({ seed: 43 }, 'pairs')).not.toBe(startSeed(SETTINGS, 'pairs'));
  });

  it('are those of one continual task whose updates never end', () => {
    expect(learnerSettings(SETTINGS)).toMatchObject({ method: 'fitted-keys', sequence: [SETTINGS.task], seed: 42 });
  });

  it('are refused where they cannot work, by name', () => {
    expect(() => checkAdaptationSettings(SETTINGS)).not.toThrow();
    const broken: readonly (readonly [Partial<AdaptationSettings>, RegExp])[] = [
      [{ episodes: 0 }, /episodes/],
      [{ noises: [] }, /noise/],
      [{ noises: [0.1, 0.1] }, /noise/],
      [{ temperatures: [0] }, /temperatures/],
      [{ temperatures: [1, 1] }, /temperatures/],
      [{ updates: 0 }, /updates/],
      [{ learningRate: 0 }, /learning rate/],
      [{ identityTasks: ['metaworld/reach-v3'] }, /identity tasks/],
      [{ test: { odds: 1, errorRate: 0.05, maxPairs: 9 } }, /odds 1/],
      [{ task: 'dmcontrol/walker-walk', demonstrations: 3 }, /no scripted expert/],
    ];
    for (const [change, message] of broken) {
      expect(() => checkAdaptationSettings({ ...SETTINGS, ...change })).toThrow(message);
    }
  });
});
