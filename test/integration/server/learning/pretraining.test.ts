import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readParameters } from '../../../../agent/weights/names.ts';
import { policyConfigOf } from '../../../../server/checkpoints/manifest.ts';
import { readCheckpoint } from '../../../../server/checkpoints/read-checkpoint.ts';
import { readMetrics } from '../../../../server/learning/metrics-log.ts';
import type { PretrainEvent } from '../../../../server/learning/pretrain-events.ts';
import { SMALL_PRETRAINING, type PretrainOptions } from '../../../../server/learning/pretrain-options.ts';
import { pretrain } from '../../../../server/learning/pretrain.ts';
import { findTrajectoryFiles } from '../../../../server/learning/training-data.ts';
import { runPretraining } from '../../../../server/learning/training-run.ts';
import { loadTrainingState } from '../../../../server/learning/training-state.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';

const SAMPLE = new URL('../../../golden/learning', import.meta.url).pathname;
const backend = { backend: 'auto', threadCount: 1, xla: false } as const;

let folder = '';
let files: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'l2m-pretraining-'));
  files = await findTrajectoryFiles(SAMPLE, ['metaworld/reach-v3', 'metaworld/drawer-open-v3']);
  await startBackend(backend);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function optionsOf(name: string, changes: Partial<PretrainOptions> = {}): PretrainOptions {
  return {
    ...SMALL_PRETRAINING,
    model: { ...SMALL_PRETRAINING.model, width: 32, blocks: 1, heads: 2, maximumTimestep: 200 },
    modulation: { kind: 'lora', poolSize: 3, keyCount: 3, rank: 2, scaling: 2 },
    batchSize: 16,
    budget: { kind: 'updates', updates: 6 },
    learningRate: 3e-3,
    warmUpUpdates: 5,
    heldOutShare: 0.2,
    files,
    name,
    trainingFolder: join(folder, 'training', name),
    checkpointFolder: join(folder, 'checkpoints', name),
    resume: false,
    overwrite: false,
    storage: 'float32',
    backend,
    saveEveryMinutes: 10,
    reportEverySeconds: 0,
    command: 'l2m pretrain (test)',
    commit: 'unknown',
    ...changes,
  };
}

/** Trains in this process; stops after so many updates if asked to. */
async function train(options: PretrainOptions, stopAfter = Infinity) {
  const events: PretrainEvent[] = [];
  let updates = 0;
  const result = await runPretraining(options, {
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'progress') updates++;
    },
    stopRequested: () => updates >= stopAfter,
  });
  return { events, result };
}

async function stateOf(name: string): Promise<Map<string, number[]>> {
  const state = await loadTrainingState(join(folder, 'training', name));
  return new Map([...(state?.arrays ?? [])].map(([key, { data }]) => [key, [...data]]));
}

describe('pre-training', () => {
  test('starts at the loss of a blind guess and learns from real trajectories', async () => {
    const options = optionsOf('learns', { budget: { kind: 'updates', updates: 150 } });
    const { events, result } = await train(options);
    const losses = events.flatMap((event) => (event.type === 'progress' ? [event.loss] : []));
    expect(losses).toHaveLength(150);
    expect(Math.abs(losses[0]! - Math.log(64))).toBeLessThan(0.1);
    const late = losses.slice(-20).reduce((sum, loss) => sum + loss, 0) / 20;
    expect(late).toBeLessThan(losses[0]! - 1);
    expect(result.heldOutLoss).toBeLessThan(losses[0]! - 0.7);
    expect(result).toMatchObject({ outcome: 'finished', update: 150 });
    expect(readMetrics(join(options.trainingFolder, 'metrics.jsonl'))).toHaveLength(150);
  });

  test('leaves a checkpoint that says where it comes from, with a pool that changes nothing', async () => {
    const options = optionsOf('described', { storage: 'float16' });
    await train(options);
    const { manifest, arrays } = await readCheckpoint(options.checkpointFolder);
    expect(manifest.data.map(({ task, episodes }) => [task, episodes])).toEqual([
      ['metaworld/reach-v3', 6],
      ['metaworld/drawer-open-v3', 6],
    ]);
    expect(manifest.training?.metrics['update']).toBe(6);
    expect(manifest.options).toMatchObject({ binCentres: true, restartAtHorizon: { metaworld: 200, dmcontrol: null } });
    expect(manifest.options.standardise?.metaworld?.mean).toHaveLength(204);
    expect(manifest.targetReturns['metaworld/reach-v3']).toBeGreaterThan(100);
    expect(manifest.provenance.command).toBe('l2m pretrain (test)');
    const parameters = readParameters(arrays, policyConfigOf(manifest));
    expect(parameters['prompt.lora_b']?.shape).toEqual([3, 1, 6, 2, 32]);
    expect(parameters['prompt.lora_b']?.dataSync().every((value) => value === 0)).toBe(true);
    for (const tensor of Object.values(parameters)) tensor.dispose();
  });

  test('interrupted and resumed gives the weights and moments of an uninterrupted training', async () => {
    await train(optionsOf('whole'));
    const stopped = await train(optionsOf('halves'), 3);
    expect(stopped.result).toMatchObject({ outcome: 'stopped', update: 3 });
    const resumed = await train(optionsOf('halves', { resume: true }));
    expect(resumed.result).toMatchObject({ outcome: 'finished', update: 6 });
    expect(resumed.events.find((event) => event.type === 'started')).toMatchObject({ update: 3 });

    const [whole, halves] = [await stateOf('whole'), await stateOf('halves')];
    expect([...halves.keys()]).toEqual([...whole.keys()]);
    let worst = 0;
    for (const [name, values] of whole) {
      values.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - halves.get(name)![i]!))));
    }
    expect(worst).toBeLessThanOrEqual(1e-6);
    const rows = readMetrics(join(folder, 'training/halves/metrics.jsonl'));
    expect(rows.map(({ update }) => update)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('starts from another checkpoint and remembers it', async () => {
    const parent = optionsOf('parent', { budget: { kind: 'updates', updates: 40 } });
    await train(parent);
    const child = optionsOf('child', { initialiseFrom: parent.checkpointFolder });
    const { events } = await train(child);
    const first = events.find((event) => event.type === 'progress');
    expect(first?.loss).toBeLessThan(3.8);
    const { manifest } = await readCheckpoint(child.checkpointFolder);
    expect(manifest.lineage.map(({ name }) => name)).toEqual(['parent']);
  });

  test('of a pool leaves every weight of the model as it was, proves it, and says so', async () => {
    const parent = optionsOf('backbone', { budget: { kind: 'updates', updates: 20 } });
    await train(parent);
    const child = optionsOf('tuned', {
      ...{ initialiseFrom: parent.checkpointFolder, trainable: 'pool', budget: { kind: 'updates', updates: 12 } },
      // Other data, of which other tables would follow.
      files: files.slice(1),
    });
    const { result } = await train(child, 4);
    expect(result.update).toBe(4);
    await train({ ...child, resume: true });
    const [before, after] = [
      await readCheckpoint(parent.checkpointFolder),
      await readCheckpoint(child.checkpointFolder),
    ];
    expect(after.manifest.files.model.sha256).toBe(before.manifest.files.model.sha256);
    expect(after.manifest.files.pool.sha256).not.toBe(before.manifest.files.pool.sha256);
    expect(after.manifest.training?.settings).toMatchObject({
      trainable: 'pool',
      frozen: { tensors: 27, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    });
    expect(before.manifest.training?.settings['frozen']).toBeUndefined();
    expect(after.manifest.options.standardise).toEqual(before.manifest.options.standardise);
    await expect(
      train(optionsOf('nothing', { trainable: 'pool', modulation: { kind: 'none' } })),
    ).rejects.toMatchObject({
      code: 'L2M_CONFIG_INVALID',
    });
  });

  test('of the head alone changes the head alone, with updates and rates counted as the reference does', async () => {
    const parent = optionsOf('whole-model', { budget: { kind: 'updates', updates: 5 } });
    await train(parent);
    const child = optionsOf('head', {
      ...{ initialiseFrom: parent.checkpointFolder, trainable: 'head', accumulate: 2, referenceTicks: true },
      warmUpUpdates: 2,
    });
    const { events } = await train(child);
    const rates = events.flatMap((event) => (event.type === 'progress' ? [event.learningRate] : []));
    // Micro-steps 0, 2, 4, …: warm-up over 4, then a cosine over 12.
    expect(rates[0]).toBeCloseTo(3e-3 / 4, 9);
    expect(rates[1]).toBeCloseTo((3e-3 * 3) / 4, 9);
    expect(rates[2]).toBeCloseTo(3e-3, 9);
    expect(rates[5]).toBeCloseTo(1e-5 + ((3e-3 - 1e-5) * (1 + Math.cos(Math.PI / 2))) / 2, 9);
    const [before, after] = [
      await readCheckpoint(parent.checkpointFolder),
      await readCheckpoint(child.checkpointFolder),
    ];
    const changed = [...after.arrays].filter(([name, { data }]) => {
      const old = before.arrays.get(name)!.data as Float32Array;
      return (data as Float32Array).some((value, i) => value !== old[i]);
    });
    expect(changed.map(([name]) => name).sort()).toEqual(['action_net.0.bias', 'action_net.0.weight']);
  });

  test('refuses to go on with other settings or data, or to overwrite by accident', async () => {
    await train(optionsOf('guarded'));
    await expect(train(optionsOf('guarded'))).rejects.toMatchObject({ code: 'L2M_RUN_MISMATCH' });
    await expect(train(optionsOf('guarded', { resume: true, seed: 1 }))).rejects.toMatchObject({
      code: 'L2M_RUN_MISMATCH',
    });
    const fewer = optionsOf('guarded', { resume: true, files: files.slice(1) });
    await expect(train(fewer)).rejects.toMatchObject({ code: 'L2M_RUN_MISMATCH' });
    await expect(train(optionsOf('nowhere', { resume: true }))).rejects.toMatchObject({ code: 'L2M_RUN_MISMATCH' });
    const again = await train(optionsOf('guarded', { overwrite: true }));
    expect(again.result.update).toBe(6);
    const longer = optionsOf('guarded', { resume: true, budget: { kind: 'updates', updates: 8 } });
    expect((await train(longer)).result.update).toBe(8);
  });

  test('passes over a damaged state for the one before it', async () => {
    const options = optionsOf('damaged');
    await train(options, 2);
    await train({ ...options, resume: true }, 2);
    const states = (await readdir(options.trainingFolder)).filter((name) => name.startsWith('state-')).sort();
    expect(states).toEqual(['state-000000002', 'state-000000004']);
    await writeFile(join(options.trainingFolder, 'state-000000004/tensors.safetensors'), 'torn');
    const { events } = await train({ ...options, resume: true });
    expect(events.find((event) => event.type === 'started')).toMatchObject({ update: 2 });
  });
});

// Two processes load and compile one after the other, which a busy machine makes slow.
describe('pre-training in its own process', { timeout: 300_000 }, () => {
  test('is stopped by a signal with a state and a checkpoint, and resumed to the end', async () => {
    const stop = new AbortController();
    const options = optionsOf('process', { budget: { kind: 'updates', updates: 100_000 } });
    const stopped = await pretrain(options, {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.update >= 5) stop.abort();
      },
    });
    expect(stopped.outcome).toBe('stopped');
    expect(stopped.update).toBeGreaterThanOrEqual(5);
    expect((await readCheckpoint(options.checkpointFolder)).manifest.name).toBe('process');
    const updates = stopped.update + 3;
    const rest = await pretrain({ ...options, resume: true, budget: { kind: 'updates', updates } });
    expect(rest).toMatchObject({ outcome: 'finished', update: updates });
  });

  test('hands over the trainer’s error with its code and hint', async () => {
    const missing = optionsOf('missing', { files: [join(folder, 'nothing.safetensors')] });
    await expect(pretrain(missing)).rejects.toMatchObject({ code: 'L2M_DATA_INVALID' });
    await expect(pretrain(optionsOf('zero', { batchSize: 0 }))).rejects.toMatchObject({ code: 'L2M_CONFIG_INVALID' });
  });
});
