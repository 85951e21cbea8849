import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../../../server/checkpoints/read-checkpoint.ts';
import { SMALL_PRETRAINING, type PretrainOptions } from '../../../../server/learning/pretrain-options.ts';
import { readRows } from '../../../../server/learning/row-log.ts';
import { findTrajectoryFiles } from '../../../../server/learning/training-data.ts';
import {
  evaluatedPretraining,
  type BackgroundEvaluation,
  type EvaluatedHooks,
} from '../../../../server/pretraining/evaluated-pretraining.ts';
import type { EvaluationRow } from '../../../../server/pretraining/evaluation-history.ts';
import { liveServer, temporaryFolder } from '../../../support/live-server.ts';

const SAMPLE = new URL('../../../golden/learning', import.meta.url).pathname;

const folder = temporaryFolder();
let server: Awaited<ReturnType<typeof liveServer>>;
let files: string[] = [];
beforeAll(async () => {
  files = await findTrajectoryFiles(SAMPLE, ['metaworld/reach-v3', 'metaworld/drawer-open-v3']);
  // Without compiling: each of these weights decides for one episode only.
  server = await liveServer({ backend: 'wasm', workers: 1, environments: 2 });
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

function optionsOf(name: string, changes: Partial<PretrainOptions> = {}): PretrainOptions {
  return {
    ...SMALL_PRETRAINING,
    model: { ...SMALL_PRETRAINING.model, width: 32, blocks: 1, heads: 2 },
    modulation: { kind: 'lora', poolSize: 3, keyCount: 3, rank: 2, scaling: 2 },
    ...{ batchSize: 16, budget: { kind: 'updates', updates: 6 }, warmUpUpdates: 5, heldOutShare: 0.2, files, name },
    trainingFolder: join(folder.path, 'training', name),
    checkpointFolder: join(folder.path, 'checkpoints', name),
    ...{ resume: false, overwrite: false, storage: 'float32', saveEveryMinutes: 10, reportEverySeconds: 0 },
    backend: { backend: 'auto', threadCount: 1, xla: false },
    ...{ command: 'l2m pretrain (test)', commit: 'unknown' },
    ...changes,
  };
}

function evaluationOf(name: string, changes: Partial<BackgroundEvaluation> = {}): BackgroundEvaluation {
  return {
    ...{ everyUpdates: 2, tasks: ['metaworld/reach-v3'], episodes: 1, protocol: 'l2m-paper', seed: 42 },
    ...{ patience: undefined, bestFolder: join(folder.path, 'checkpoints', `${name}-best`) },
    ...changes,
  };
}

const rowsOf = (name: string) =>
  readRows<EvaluationRow>(join(folder.path, 'training', name, 'evaluations.jsonl')).map(({ run: _, ...row }) => row);

describe('a pre-training that is evaluated meanwhile', { timeout: 300_000 }, () => {
  test('leaves each evaluation once, the best weights, curves in the store, and no snapshot', async () => {
    const hooks: EvaluatedHooks = {};
    const result = await evaluatedPretraining(server, optionsOf('whole'), { evaluation: evaluationOf('whole'), hooks });
    expect(result).toMatchObject({ outcome: 'finished', update: 6, ranOutOfPatience: false });
    const rows = rowsOf('whole');
    expect(rows.map(({ update }) => update)).toEqual([2, 4, 6]);
    expect(rows.every(({ meanReturn }) => typeof meanReturn === 'number')).toBe(true);
    const best = await readCheckpoint(evaluationOf('whole').bestFolder);
    expect(best.manifest.training?.metrics['windows']).toBe((result.best?.update ?? 0) * 16);
    expect(await readdir(join(folder.path, 'training/whole/snapshots'))).toEqual([]);
    const { runs } = await server.store.listRuns({ limit: 20, offset: 0 });
    const training = runs.find(({ kind }) => kind === 'pretrain');
    expect(training).toMatchObject({ state: 'finished', policy: 'pre-training whole' });
    const metrics = await server.store.metrics(training?.run ?? '');
    expect(metrics.filter(({ name }) => name === 'score').map(({ step }) => step)).toEqual([2, 4, 6]);
    expect(metrics.filter(({ name }) => name === 'loss')).toHaveLength(6);
    expect(runs.filter(({ kind }) => kind === 'evaluate')).toHaveLength(3);
  });

  test('interrupted and resumed has the evaluations of one that was not', async () => {
    const stop = new AbortController();
    const stopped = await evaluatedPretraining(server, optionsOf('halves'), {
      evaluation: evaluationOf('halves'),
      hooks: {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'snapshot') stop.abort();
        },
      },
    });
    expect(stopped.outcome).toBe('stopped');
    expect(rowsOf('halves').length).toBeLessThan(3);
    const resumed = await evaluatedPretraining(server, optionsOf('halves', { resume: true }), {
      evaluation: evaluationOf('halves'),
      hooks: {},
    });
    expect(resumed.outcome).toBe('finished');
    expect(rowsOf('halves')).toEqual(rowsOf('whole'));
  });

  test('ends when patience runs out, long before its budget', async () => {
    const options = optionsOf('patient', { budget: { kind: 'updates', updates: 1_000_000 } });
    const result = await evaluatedPretraining(server, options, {
      evaluation: evaluationOf('patient', { patience: 1, everyUpdates: 1 }),
      hooks: {},
    });
    expect(result).toMatchObject({ ranOutOfPatience: true, outcome: 'finished' });
    expect(result.update).toBeLessThan(1_000_000);
    // Untrained weights reach nothing: the second evaluation is no better than the first.
    expect(rowsOf('patient').map(({ update }) => update)).toEqual([1, 2]);
    expect(result.best?.update).toBe(1);
  });
});
