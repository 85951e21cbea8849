import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Actors } from '../../../../server/adaptation/actors.ts';
import { AdaptationFolder } from '../../../../server/adaptation/adaptation-folder.ts';
import { evaluatePairs } from '../../../../server/adaptation/paired-evaluation.ts';
import { runAdaptation } from '../../../../server/adaptation/run-adaptation.ts';
import { readCheckpoint } from '../../../../server/checkpoints/read-checkpoint.ts';
import { immediateDecision, type ActingPolicy } from '../../../../server/rollouts/acting-policy.ts';
import { liveServer, temporaryFolder } from '../../../support/live-server.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';
import { SMALL, smallAdaptation } from '../../../integration/server/adaptation/small-adaptation.ts';

const folder = temporaryFolder();
let server: Awaited<ReturnType<typeof liveServer>>;
beforeAll(async () => {
  await writeRandomCheckpoint(join(folder.path, 'checkpoint'));
  // Without compiling: each of these weights decides for few episodes only.
  server = await liveServer({ backend: 'wasm', workers: 1, environments: 2, record: 'none' });
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

const hooks = (signal = new AbortController().signal) => ({
  ...{ signal, note: () => undefined, progress: (_: string): void => undefined },
});

/** What an evaluation of six pairs would have left. */
function alreadyPaired(name: string, round: number, difference: number): void {
  const path = new AdaptationFolder(join(folder.path, name)).pairs(round);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ firstStart: 0, episodes: 6, differences: Array(6).fill(difference) })}\n`);
}

describe('an adaptation', { timeout: 900_000 }, () => {
  it('rolls back what is worse with its learner, promotes what is better, and leaves the model alone', async () => {
    // Begun, so that what is paired can be laid down before.
    await runAdaptation(server, smallAdaptation(folder.path, 'decided', { rounds: 0 }), hooks());
    alreadyPaired('decided', 1, -1);
    alreadyPaired('decided', 2, 1);
    alreadyPaired('decided', 3, 0);
    const options = smallAdaptation(folder.path, 'decided', { rounds: 3, resume: true });
    const result = await runAdaptation(server, options, hooks());
    expect(result.rows.map(({ decision }) => decision)).toEqual(['rolled-back', 'promoted', 'promoted']);
    expect(result.rows.map(({ version }) => version)).toEqual([0, 0, 2]);
    // The second round begins anew, the third goes on from the second.
    expect(result.rows.map(({ updates }) => updates)).toEqual([4, 4, 8]);
    expect(result).toMatchObject({ outcome: 'finished', version: 3 });
    expect(new Set(result.rows.map(({ frozenSha256 }) => frozenSha256)).size).toBe(1);
    expect(new Set(result.rows.map(({ poolSha256 }) => poolSha256)).size).toBe(3);

    const of = new AdaptationFolder(options.folder);
    await expect(readCheckpoint(of.checkpoint(1))).rejects.toThrow();
    const [base, last] = await Promise.all([readCheckpoint(of.checkpoint(0)), readCheckpoint(result.checkpoint)]);
    for (const [name, { data }] of base.arrays) {
      if (!name.startsWith('prompt.')) expect(last.arrays.get(name)?.data, name).toEqual(data);
    }
    expect(last.manifest.targetReturns['dmcontrol/cartpole-balance']).toBeGreaterThan(0);
    expect(result.comparison?.tasks.map(({ task }) => task)).toEqual([
      'dmcontrol/cartpole-balance',
      'dmcontrol/pendulum-swingup',
    ]);
    // What is nearest to identity keys is decided by the frozen model alone.
    expect(result.comparison?.tasks[1]?.scores[1]?.pairedReturns).toMatchObject({ pairs: 1, higher: 0, lower: 0 });

    const curves = await server.store.metrics(await readFile(join(options.folder, 'run.txt'), 'utf8'));
    expect(curves.filter(({ name }) => name === 'version').map(({ value }) => value)).toEqual([0, 2, 3]);
  });

  it('interrupted in every part and resumed has the journal of one that was not', async () => {
    const whole = await runAdaptation(server, smallAdaptation(folder.path, 'whole'), hooks());
    expect(whole.rows).toHaveLength(2);
    const interruptions = [/round 1: rollouts/, /round 1: update/, /version 1 against 0, [1-9]/];
    let resume = false;
    for (const when of interruptions) {
      const stop = new AbortController();
      const result = await runAdaptation(server, smallAdaptation(folder.path, 'parts', { resume }), {
        ...hooks(stop.signal),
        progress: (text) => {
          if (when.test(text)) stop.abort();
        },
      });
      expect(result.outcome, String(when)).toBe('stopped');
      resume = true;
    }
    const last = await runAdaptation(server, smallAdaptation(folder.path, 'parts', { resume }), hooks());
    expect(last.rows).toEqual(whole.rows);
    expect(last.comparison?.tasks).toEqual(whole.comparison?.tasks);
  });

  it('is not begun twice, nor on a pool that has learned something', async () => {
    const again = smallAdaptation(folder.path, 'whole');
    await expect(runAdaptation(server, again, hooks())).rejects.toMatchObject({ code: 'L2M_RUN_MISMATCH' });
    const checkpoint = new AdaptationFolder(join(folder.path, 'decided')).checkpoint(3);
    const learned = smallAdaptation(folder.path, 'learned', { checkpoint });
    await expect(runAdaptation(server, learned, hooks())).rejects.toMatchObject({ code: 'L2M_CHECKPOINT_INVALID' });
    const unknown = smallAdaptation(folder.path, 'unknown', { resume: true });
    await expect(runAdaptation(server, unknown, hooks())).rejects.toMatchObject({ code: 'L2M_RUN_MISMATCH' });
  });
});

describe('a paired evaluation on simulators', { timeout: 300_000 }, () => {
  const constant = (name: string, action: number): ActingPolicy => ({
    ...{ name, assertSupports: () => undefined },
    begin: (spec) => ({ decide: () => immediateDecision(new Float32Array(spec.actionSize).fill(action)) }),
  });
  // A pole that stands is kept up by doing little; a cart that is pushed with all force throws it.
  const [calm, wild] = [constant('calm', 0), constant('wild', 1)];
  const settings = { ...SMALL, horizon: 60, pairsAtOnce: 4, test: { ...SMALL.test, maxPairs: 20 } };

  it.each([
    ['worse', calm, wild],
    ['not-worse', wild, calm],
  ] as const)('finds that a candidate is %s, and stops early', async (verdict, acting, candidate) => {
    const actors = new Actors(server, settings, hooks());
    const tallies: number[] = [];
    const found = await evaluatePairs(actors, {
      ...{ settings, round: 1, path: join(folder.path, `${verdict}.jsonl`), acting, candidate },
      told: ({ gained, lost }) => Promise.resolve(void tallies.push(gained + lost)),
    });
    await actors.close();
    expect(found?.verdict).toBe(verdict);
    expect(tallies).toEqual([0, 4, 5]);
  });
});
