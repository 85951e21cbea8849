import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PAPER_OPTIONS, type ModelConfig, type ModulationConfig } from '../../../../agent/config.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialArrays } from '../../../../agent/weights/initialise.ts';
import { poolShapes } from '../../../../agent/weights/names.ts';
import { policyConfigOf, type CheckpointManifest } from '../../../../server/checkpoints/manifest.ts';
import { readCheckpoint, readManifest } from '../../../../server/checkpoints/read-checkpoint.ts';
import { writeCheckpoint, type WriteCheckpointOptions } from '../../../../server/checkpoints/write-checkpoint.ts';

const model: ModelConfig = {
  width: 8,
  blocks: 1,
  heads: 2,
  context: 5,
  stateSize: 12,
  actionSize: 2,
  bins: 4,
  maximumTimestep: 20,
};
const modulation: ModulationConfig = { kind: 'ia3', poolSize: 3, keyCount: 3 };
const poolNames = new Set(Object.keys(poolShapes(model, modulation)));
const arrays = [...initialArrays({ model, modulation }, randomSource(1))];
const weights = new Map(arrays.filter(([name]) => !poolNames.has(name)));
const pool = new Map(arrays.filter(([name]) => poolNames.has(name)));

const table = { mean: new Array<number>(12).fill(0.5), deviation: new Array<number>(12).fill(2) };
const manifest: Omit<CheckpointManifest, 'format' | 'files' | 'tokenizer'> = {
  name: 'tiny',
  createdAt: '2025-01-01T00:00:00.000Z',
  model,
  modulation,
  options: { ...PAPER_OPTIONS, standardise: { metaworld: table } },
  targetReturns: { 'metaworld/reach-v3': 1800 },
  data: [
    {
      task: 'metaworld/reach-v3',
      source: 'expert',
      contentHash: 'a'.repeat(64),
      episodes: 2,
      transitions: 400,
      identity: { seed: 1, noises: [0, 0.1] },
    },
  ],
  lineage: [{ name: 'older', modelHash: 'b'.repeat(64), poolHash: 'c'.repeat(64) }],
  training: { settings: { batchSize: 128 }, metrics: { loss: 0.9 } },
  provenance: { command: 'l2m pretrain', commit: 'unknown', versions: { l2m: '0.1.0' } },
};

let folder = '';
beforeEach(async () => (folder = join(await mkdtemp(join(tmpdir(), 'l2m-checkpoint-')), 'tiny')));
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

const write = (options?: WriteCheckpointOptions, changes: Partial<typeof manifest> = {}) =>
  writeCheckpoint(folder, { manifest: { ...manifest, ...changes }, model: weights, pool }, options);

describe('checkpoint folder', () => {
  test('gives back every weight and everything it says of itself', async () => {
    const written = await write();
    expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'model.safetensors', 'pool.safetensors']);
    const read = await readCheckpoint(folder);
    expect(read.manifest).toEqual(written);
    expect(policyConfigOf(read.manifest)).toEqual({ model, modulation, options: manifest.options });
    expect([...read.arrays.keys()].sort()).toEqual(arrays.map(([name]) => name).sort());
    for (const [name, { shape, data }] of arrays) expect(read.arrays.get(name)).toEqual({ dtype: 'F32', shape, data });
  });

  test('in half precision is half as large and within half precision of the weights', async () => {
    const whole = await write();
    await write({ storage: 'float16', overwrite: true });
    const read = await readCheckpoint(folder);
    const saved = whole.files.model.bytes - read.manifest.files.model.bytes;
    const count = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
    // Headers are padded to 8 bytes.
    expect(Math.abs(saved - 2 * count)).toBeLessThan(16);
    for (const [name, { data }] of arrays) {
      const kept = read.arrays.get(name)!.data as Float32Array;
      data.forEach((value, i) =>
        expect(Math.abs(kept[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11 + 2 ** -25),
      );
    }
  });

  test('equal weights give equal files', async () => {
    const first = await write();
    const reversed = new Map([...weights].reverse());
    const second = await writeCheckpoint(folder, { manifest, model: reversed, pool }, { overwrite: true });
    expect(second.files).toEqual(first.files);
  });

  test('is not replaced unless asked to, and then leaves nothing else behind', async () => {
    await write();
    await expect(write()).rejects.toMatchObject({ code: 'L2M_STORE_UNWRITABLE' });
    await write({ overwrite: true }, { name: 'second' });
    expect((await readManifest(folder)).name).toBe('second');
    expect(await readdir(join(folder, '..'))).toEqual(['tiny']);
  });

  test('keeps the old one if the new one cannot be written', async () => {
    await write();
    const broken = new Map(weights).set('embed_ln.bias', { shape: [8], data: new Float32Array(8).fill(Number.NaN) });
    await expect(writeCheckpoint(folder, { manifest, model: broken, pool }, { overwrite: true })).rejects.toMatchObject(
      {
        code: 'L2M_CHECKPOINT_INVALID',
      },
    );
    expect((await readCheckpoint(folder)).manifest.name).toBe('tiny');
    expect(await readdir(join(folder, '..'))).toEqual(['tiny']);
  });

  type Change = (text: string) => string;
  const damages: readonly (readonly [what: string, file: string, damage: Change, message: RegExp])[] = [
    ['weights with a flipped byte', 'model.safetensors', (text) => text.slice(0, -1) + '\x01', /SHA-256|not finite/],
    ['weights cut short', 'pool.safetensors', (text) => text.slice(0, -5), /bytes/],
    ['weights that are none', 'pool.safetensors', () => 'hello', /ends after|header/],
    ['a manifest that is not JSON', 'manifest.json', (text) => text.slice(1), /not JSON/],
    ['another format', 'manifest.json', (text) => text.replace('checkpoint/1', 'checkpoint/9'), /format/],
    ['a missing part', 'manifest.json', (text) => text.replace('"lineage"', '"lineages"'), /manifest/],
    ['other bins than its tokenizer', 'manifest.json', (text) => text.replace('"bins": 4', '"bins": 8'), /tokenizer/],
    ['a width that heads do not divide', 'manifest.json', (text) => text.replace('"heads": 2', '"heads": 3'), /heads/],
    ['a short table', 'manifest.json', (text) => text.replace('"stateSize": 12', '"stateSize": 13'), /12 means/],
    [
      'keys by unnamed layouts',
      'manifest.json',
      (text) => text.replace('"ia3"', '"ia3", "byLayout": true'),
      /layoutOrder/,
    ],
    ['unknown modulation', 'manifest.json', (text) => text.replace('"ia3"', '"ia4"'), /modulation/],
  ];
  test.each(damages)('is refused with what was got: %s', async (...[, file, damage, expected]) => {
    await write();
    const path = join(folder, file);
    await writeFile(path, damage(await readFile(path, 'latin1')), 'latin1');
    await expect(readCheckpoint(folder)).rejects.toMatchObject({
      code: 'L2M_CHECKPOINT_INVALID',
      message: expect.stringMatching(expected) as string,
    });
  });

  test.each(['manifest.json', 'model.safetensors', 'pool.safetensors'])('is refused without its %s', async (file) => {
    await write();
    await rm(join(folder, file));
    await expect(readCheckpoint(folder)).rejects.toMatchObject({ code: 'L2M_CHECKPOINT_INVALID' });
  });
});
