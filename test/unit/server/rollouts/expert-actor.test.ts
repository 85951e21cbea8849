import { expect, test } from 'vitest';
import { expertActor } from '../../../../server/rollouts/expert-actor.ts';

const policy = { kind: 'expert', noises: [0, 0.1, 0.3] } as const;

test('levels of noise come in turn, and every start has noise of its own that depends on seed and start alone', () => {
  const actors = [0, 1, 2, 3].map((start) => expertActor(policy, { start, seed: 7 }));
  expect(actors.map((actor) => actor.kind === 'expert' && actor.noise)).toEqual([0, 0.1, 0.3, 0]);
  const seeds = actors.map((actor) => (actor.kind === 'expert' ? actor.noiseSeed : Number.NaN));
  expect(new Set(seeds).size).toBe(4);
  expect(expertActor(policy, { start: 2, seed: 7 })).toEqual(actors[2]);
  expect(expertActor(policy, { start: 2, seed: 8 })).not.toEqual(actors[2]);
  expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff)).toBe(true);
});

test('the variant is told only where it was asked for, so that older workers understand the rest', () => {
  expect(expertActor(policy, { start: 0, seed: 0 })).not.toHaveProperty('variant');
  expect(expertActor({ ...policy, variant: 'keep-goal' }, { start: 0, seed: 0 })).toMatchObject({
    variant: 'keep-goal',
  });
});
