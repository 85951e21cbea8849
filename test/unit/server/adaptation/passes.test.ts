import { describe, expect, it } from 'vitest';
import { AS_DECIDED, passesOf } from '../../../../server/adaptation/passes.ts';
import { immediateDecision, type ActingPolicy } from '../../../../server/rollouts/acting-policy.ts';

const plain: ActingPolicy = {
  name: 'plain',
  assertSupports: () => undefined,
  begin: () => ({ decide: () => immediateDecision(new Float32Array(1)) }),
};
const asked: number[] = [];
const drawing: ActingPolicy = {
  ...plain,
  drawn: (temperature) => {
    asked.push(temperature);
    return { ...plain, name: `drawn at ${temperature}` };
  },
};

describe('the passes of a round', () => {
  it('are those with noise, then those that draw, each with a mark of its own', () => {
    const passes = passesOf({ noises: [0, 0.3], temperatures: [1, 1.5], targets: 'decided' });
    expect(passes.map(({ mark }) => mark)).toEqual([0, 0.3, -1, -1.5]);
    expect(passes.map(({ policyOf }) => policyOf(drawing).name)).toEqual([
      'plain',
      'plain',
      'drawn at 1',
      'drawn at 1.5',
    ]);
    expect(asked).toEqual([1, 1.5]);
  });

  it('learn what was decided where noise was added, if that is wanted, and what was executed where actions were drawn', () => {
    const learns = (targets: 'decided' | 'executed') =>
      passesOf({ noises: [0, 0.3], temperatures: [1], targets }).map(({ learnsDecided }) => learnsDecided);
    expect(learns('decided')).toEqual([false, true, false]);
    expect(learns('executed')).toEqual([false, false, false]);
  });

  it('cannot draw from a policy that has nothing to draw from', () => {
    const [drawn] = passesOf({ noises: [], temperatures: [1], targets: 'decided' });
    expect(() => drawn?.policyOf(plain)).toThrow('plain has no actions to draw from');
    expect(AS_DECIDED.policyOf(plain)).toBe(plain);
  });
});
