import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectForTraining } from '../../../agent/learning/loss.ts';
import { modulatorsOf } from '../../../agent/modulation/match.ts';
import { gatherModulators } from '../../../agent/modulation/gather.ts';
import { dispose, tidy } from '../../../agent/ops.ts';
import { actionLogits, decodePredicting } from '../../../agent/transformer/decoder.ts';
import { embedWindow } from '../../../agent/transformer/embedding.ts';
import { readParameters } from '../../../agent/weights/names.ts';
import { importCheckpoint } from '../../../server/checkpoints/import-checkpoint.ts';
import { policyConfigOf } from '../../../server/checkpoints/manifest.ts';
import { readCheckpoint } from '../../../server/checkpoints/read-checkpoint.ts';
import { startBackend } from '../../unit/agent/support/backend.ts';
import { goldenBatch, goldenCase, goldenMeta, numbersOf } from '../agent/golden-case.ts';

const FOLDER = process.env['L2M_GOLDEN'] ?? join(import.meta.dirname, '../agent/reference');
const SIZES = JSON.parse(await readFile(join(FOLDER, 'meta.json'), 'utf8')) as { config: { heads: number } };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'l2m-import-'));
  await startBackend('cpu');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(['mddt', 'l2m_lora'] as const)('the reference’s checkpoint %s', (name) => {
  const file = join(FOLDER, `${name}.checkpoint.zip`);
  const options = (to?: string) => ({
    ...{ heads: SIZES.config.heads, folder: to, name, overwrite: false },
    provenance: { command: 'test', commit: 'unknown', versions: {} },
  });

  it('becomes a checkpoint folder with exactly the weights of the reference', async () => {
    const to = join(folder, name, 'exact');
    const report = await importCheckpoint(file, options(to));
    const { manifest, arrays } = await readCheckpoint(to);
    const { config, weights } = goldenCase(name);
    expect(policyConfigOf(manifest)).toMatchObject(config);
    expect(report.missing).toEqual([]);
    expect([...report.used].sort()).toEqual([...arrays.keys()].sort());
    for (const [weight, { shape, data }] of arrays) {
      expect(shape).toEqual(weights.get(weight)?.shape);
      expect(data).toEqual(weights.get(weight)?.data);
    }
    // Whatever else the file holds is accounted for; attention masks are in the zip alone.
    const known = [...report.skipped.map((entry) => entry.name), ...report.used];
    expect(known.filter((weight) => !/\.attn\.(masked_)?bias$/.test(weight)).sort()).toEqual([...weights.keys()].sort());
    expect(report.skipped.filter(({ reason }) => reason.includes('unknown'))).toEqual([]);
  });

  it('gives the logits of the reference', async () => {
    const to = join(folder, name, 'logits');
    await importCheckpoint(file, options(to));
    const { manifest, arrays } = await readCheckpoint(to);
    const config = policyConfigOf(manifest);
    const parameters = readParameters(arrays, config);
    const batch = goldenBatch();
    const logits = tidy(() => {
      const keys = selectForTraining(parameters, batch, { ...config, routing: {} })?.selectedKeys;
      const modulators = gatherModulators(parameters, keys === undefined ? null : modulatorsOf(keys, {}), config);
      const tokens = embedWindow(parameters, batch, config.model);
      const hidden = decodePredicting(parameters, { tokens, stepMask: batch.stepMask, modulators }, config.model);
      return actionLogits(parameters, hidden, null).dataSync();
    });
    dispose(parameters);
    const wanted = numbersOf(goldenCase(name).expected, 'action_logits');
    const { context, actionSize, bins } = config.model;
    const perStep = actionSize * bins;
    let worst = 0;
    goldenMeta().valid_steps.forEach((valid, window) => {
      for (let i = (window * context + context - valid) * perStep; i < (window + 1) * context * perStep; i++) {
        worst = Math.max(worst, Math.abs(logits[i]! - wanted[i]!));
      }
    });
    expect(worst).toBeLessThan(1e-5);
  });
});
