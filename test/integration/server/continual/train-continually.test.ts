import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nearestRows } from '../../../../agent/modulation/fitted-keys.ts';
import { readCheckpoint } from '../../../../server/checkpoints/read-checkpoint.ts';
import type { ContinualSettings } from '../../../../server/continual/continual-options.ts';
import { loadContinualState } from '../../../../server/continual/continual-state.ts';
import {
  changedModulation,
  changesOf,
  CONTINUAL_METHODS,
  type MethodName,
} from '../../../../server/continual/methods.ts';
import { RunFolder } from '../../../../server/continual/run-folder.ts';
import { readMaterial } from '../../../../server/continual/training-material.ts';
import { queriesOf } from '../../../../server/learning/query-graph.ts';
import { tensorsOf } from '../../../../server/learning/training-tensors.ts';
import { windowSampler } from '../../../../server/learning/window-sampler.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { KEY_NAME, modelShapes } from '../../../../agent/weights/names.ts';
import { beginRun, smallSettings, train } from './small-run.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'l2m-continual-'));
  await startBackend({ backend: 'auto', threadCount: 1, xla: false });
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function snapshotOf(folder: string, update: number): Promise<Map<string, number[]>> {
  const { arrays } = await readCheckpoint(new RunFolder(folder).snapshot(update));
  return new Map([...arrays].map(([name, { data }]) => [name, Array.from(data, Number)] as const));
}

const METHODS = Object.keys(CONTINUAL_METHODS) as MethodName[];

describe('a continual training', () => {
  test.each(METHODS)('by %s changes what it may change, and proves the rest unchanged', async (method) => {
    const options = await beginRun(root, `all-${method}`, smallSettings({ method, stepsPerTask: 2, evaluateEvery: 2 }));
    const { events, result } = await train(options);
    expect(result).toMatchObject({ outcome: 'finished', update: 4 });
    expect(result.parameterCount).toBeGreaterThan(0);
    expect(await new RunFolder(options.folder).snapshots()).toEqual([0, 2, 4]);
    expect(events.flatMap((event) => (event.type === 'task' ? [event.position] : []))).toEqual([0, 1]);
    const [before, after] = [await snapshotOf(options.folder, 0), await snapshotOf(options.folder, 4)];
    const changed = [...before].filter(([name, values]) => values.some((value, i) => value !== after.get(name)?.[i]));
    const { trainable } = CONTINUAL_METHODS[method];
    const touchesModel = trainable !== 'pool' && trainable !== 'modulators';
    expect(changed.length > 0).toBe(touchesModel);
    if (trainable === 'head')
      expect(changed.map(([name]) => name)).toEqual(['action_net.0.bias', 'action_net.0.weight']);
  });

  test.each(['l2m-lora', 'l2m-oracle', 'fitted-keys', 'ewc', 'replay'] as const)(
    'by %s that was stopped within a task and resumed is the one that was never stopped',
    async (method) => {
      const settings = smallSettings({ method, penaltyMode: 'online' });
      const whole = await beginRun(root, `whole-${method}`, settings);
      const halves = await beginRun(root, `halves-${method}`, settings);
      await train(whole);
      for (const stop of [2, 2]) {
        const { result } = await train({ ...halves, resume: true }, stop);
        expect(result.outcome).toBe('stopped');
      }
      const { result } = await train({ ...halves, resume: true });
      expect(result).toMatchObject({ outcome: 'finished', update: 6 });
      const [one, two] = [await loadContinualState(whole.folder), await loadContinualState(halves.folder)];
      expect([...(two?.arrays.keys() ?? [])]).toEqual([...(one?.arrays.keys() ?? [])]);
      for (const [name, { data }] of one?.arrays ?? []) expect(two?.arrays.get(name)?.data, name).toEqual(data);
      for (const update of [3, 6]) {
        expect(await snapshotOf(halves.folder, update)).toEqual(await snapshotOf(whole.folder, update));
      }
    },
  );

  test.each([
    ['l2m-lora', { poolSize: 4, rank: 2, countPenalty: false, pullWeight: 0.1, query: 'last-state' }],
    ['l2m-lora', { query: 'features', voteSteps: 5 }],
    ['l2m-ia3', { query: 'standardised', poolSize: 3 }],
    ['fitted-keys', { query: 'standardised', voteSteps: 9, unknownBelow: 0.1 }],
    ['fitted-keys', { ends: true, rank: 2, byLayout: true }],
    ['l2m-lora', { ends: true }],
    ['l2m-lora', { freshOptimiser: true }],
    ['full', { freshOptimiser: true }],
  ] as const)('by %s with %j is resumed to the same bits, and its manifests say so', async (method, changes) => {
    const settings = smallSettings({ method, ...changes });
    const name = `${method}-${Object.entries(changes).flat().join('-')}`;
    const [whole, halves] = [await beginRun(root, `${name}-whole`, settings), await beginRun(root, name, settings)];
    await train(whole);
    await train(halves, 4);
    await train({ ...halves, resume: true });
    expect(await snapshotOf(halves.folder, 6)).toEqual(await snapshotOf(whole.folder, 6));
    const { manifest } = await readCheckpoint(new RunFolder(whole.folder).snapshot(6));
    const apart = { countPenalty: undefined, pullWeight: 0, freshOptimiser: undefined, ...changes };
    const { countPenalty, pullWeight: _pull, freshOptimiser: _fresh, ...modulation } = apart;
    expect(manifest.modulation).toMatchObject(modulation);
    expect(manifest.training?.settings).toMatchObject(changes);
    if (countPenalty !== false) return;
    // Every key weighs the same, whatever earlier tasks used.
    const inverse = (await loadContinualState(whole.folder))?.arrays.get('usage inverse')?.data ?? [];
    expect(new Set(inverse).size).toBe(1);
  });

  test('leaves every key of an earlier task where it was, if each task begins with a fresh optimiser', async () => {
    const keysAfter = async (changes: Partial<ContinualSettings>) => {
      const name = `drift-${Object.keys(changes).join()}`;
      const run = await beginRun(root, name, smallSettings({ method: 'l2m-oracle', ...changes }));
      await train(run);
      const keys = async (update: number) =>
        (await readCheckpoint(new RunFolder(run.folder).snapshot(update))).arrays.get(KEY_NAME)?.data ?? [];
      // Two tasks of three updates: the first half of the keys is the first task's.
      const [before, after] = [await keys(3), await keys(6)];
      const half = before.length / 2;
      return { before: [...before.slice(0, half)], after: [...after.slice(0, half)] };
    };
    const fresh = await keysAfter({ freshOptimiser: true });
    expect(fresh.after).toEqual(fresh.before);
    const paper = await keysAfter({});
    expect(paper.after).not.toEqual(paper.before);
  });

  test('refuses what its method has not', () => {
    const settings = smallSettings({ method: 'head', rank: 4 });
    expect(() => changedModulation(CONTINUAL_METHODS.head, changesOf(settings))).toThrow('--rank');
    expect(() => changedModulation(CONTINUAL_METHODS['l2m-lora'], { unknownBelow: 0.1 })).toThrow('--unknown-below');
    expect(() => changedModulation(CONTINUAL_METHODS['l2m-ia3'], { ends: true })).toThrow('--modulate-ends');
    expect(() => changedModulation(CONTINUAL_METHODS['fitted-keys'], { freshOptimiser: true })).toThrow('--fresh-opt');
    expect(() => changedModulation(CONTINUAL_METHODS.lora, { ends: true })).toThrow('--modulate-ends');
  });

  test('goes on with the same settings and data only', async () => {
    const options = await beginRun(root, 'strict', smallSettings());
    await train(options, 2);
    const other = { ...options, resume: true, settings: smallSettings({ learningRate: 2e-3 }) };
    await expect(train(other)).rejects.toMatchObject({ code: 'L2M_RUN_MISMATCH' });
  });

  test('keeps a later task away from the keys that an earlier one used', async () => {
    const options = await beginRun(root, 'counts', smallSettings());
    await train(options);
    const counts = (await loadContinualState(options.folder))?.arrays.get('usage counts')?.data ?? new Float32Array();
    const inverse = (await loadContinualState(options.folder))?.arrays.get('usage inverse')?.data ?? new Float32Array();
    // Keys of the first task have hardly any weight left at the switch, and are not among those of the second.
    const first = [...inverse].flatMap((weight, key) => (weight < 1e-3 ? [key] : []));
    const used = [...counts].flatMap((count, key) => (count > 0 ? [key] : []));
    expect(first.length).toBeGreaterThan(0);
    expect(used.length).toBeGreaterThan(first.length);
    expect(first.every((key) => used.includes(key))).toBe(true);
  });
});

describe('fitted keys', () => {
  test('leave each task its row, and pre-training windows the identity', async () => {
    const settings = smallSettings({ method: 'fitted-keys', sequence: ['metaworld/drawer-open-v3'] });
    const options = await beginRun(root, 'identity', settings);
    await train(options);
    const folder = new RunFolder(options.folder);
    const { arrays } = await readCheckpoint(folder.snapshot(3));
    const of = (name: string): Float32Array => arrays.get(name)?.data as Float32Array;
    const width = 32;
    // Row 0 does nothing, row 1 has learned.
    const rows = of('prompt.lora_b');
    expect(rows.subarray(0, rows.length / 2).every((value) => value === 0)).toBe(true);
    expect(rows.subarray(rows.length / 2).some((value) => value !== 0)).toBe(true);

    const material = await readMaterial(folder, settings);
    const inUse = [...of('prompt.key_bias')].flatMap((bias, key) => (bias === 0 ? [key] : []));
    expect(inUse).toHaveLength(7);
    const shareOf = (tasks: typeof material.identity, row: number): number => {
      const sampler = windowSampler(tasks, {
        ...{ seed: 99, split: 'training', policy: material.policy, alternateDomains: false, afterSuccessWeight: 1 },
      });
      const parameters = tensorsOf(modelShapes(material.policy.model), material.model);
      const queries = queriesOf(sampler, { model: material.policy.model, parameters, windows: 128, batchSize: 64 });
      const keys = of('prompt.prompt_key').subarray(0, inUse.length * width);
      const chosen = nearestRows(queries, keys, width);
      return chosen.filter((key) => of('prompt.key_modulator')[key] === row).length / chosen.length;
    };
    expect(shareOf(material.identity, 0)).toBeGreaterThan(0.95);
    expect(shareOf([...material.tasks.values()], 1)).toBeGreaterThan(0.95);
  });

  test('never change a row that was learned before, and go on with it when its task comes back', async () => {
    const sequence = ['metaworld/drawer-open-v3', 'metaworld/reach-v3', 'metaworld/drawer-open-v3'];
    const options = await beginRun(root, 'rows', smallSettings({ method: 'fitted-keys', sequence }));
    await train(options);
    const rowsAt = async (update: number) => {
      const rows = (await snapshotOf(options.folder, update)).get('prompt.lora_b')!;
      const length = rows.length / 3;
      return [0, 1, 2].map((row) => rows.slice(row * length, (row + 1) * length));
    };
    const [first, second, third] = [await rowsAt(3), await rowsAt(6), await rowsAt(9)];
    expect(second[1]).toEqual(first[1]);
    expect(second[2]).not.toEqual(first[2]);
    expect(third[2]).toEqual(second[2]);
    expect(third[1]).not.toEqual(second[1]);
    const keys = async (update: number) => (await snapshotOf(options.folder, update)).get('prompt.key_bias');
    expect(await keys(9)).toEqual(await keys(6));
  });
});
