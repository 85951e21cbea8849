import { describe, expect, it } from 'vitest';
import {
  EXPERT_DEFAULTS,
  checkExpertOptions,
  expertFingerprint,
  updatesDue,
  type ExpertOptions,
} from '../../../../server/experts/expert-options.ts';

const settings = { ...EXPERT_DEFAULTS, task: 'dmcontrol/cartpole-balance' };
const options: ExpertOptions = {
  ...settings,
  ...{
    steps: 1000,
    minutes: undefined,
    evaluateEvery: 1000,
    evaluationEpisodes: 1,
    saveEveryMinutes: 1,
    source: 'sac',
  },
  ...{ trajectoryFolder: 'trajectories', folder: 'folder', resume: false, overwrite: false, backend: {} },
};

describe('options of an expert', () => {
  it('are fine by default', () => {
    expect(() => checkExpertOptions(options)).not.toThrow();
  });

  it.each([
    [{ actionRepeat: 3 }, /--action-repeat 3 does not divide 1000 steps/],
    [{ discount: 1 }, /a discount of 1/],
    [{ warmUpDecisions: 7 }, /a warm-up of 7/],
    [{ capacity: 100 }, /a replay of 100 for batches of 256/],
    [{ updatesPerDecision: 0 }, /0 updates a decision/],
  ])('%j are refused', (changes, got) => {
    const refused = (): void => checkExpertOptions({ ...options, ...changes });
    expect(refused).toThrow(expect.objectContaining({ code: 'L2M_CONFIG_INVALID' }) as Error);
    expect(refused).toThrow(got);
  });

  it('have a fingerprint of what decides the result, and of nothing else', () => {
    const longer: ExpertOptions = { ...options, steps: 5, minutes: 3, saveEveryMinutes: 9 };
    expect(expertFingerprint(longer)).toBe(expertFingerprint(settings));
    expect(expertFingerprint({ ...settings, lanes: 5 })).not.toBe(expertFingerprint(settings));
  });

  it('say how many updates are due', () => {
    const due = (decided: number, updatesPerDecision: number) =>
      updatesDue({ ...settings, warmUpDecisions: 10, updatesPerDecision }, decided);
    expect([due(5, 1), due(10, 1), due(14, 1), due(14, 0.5), due(14, 3)]).toEqual([0, 0, 4, 2, 12]);
  });
});
