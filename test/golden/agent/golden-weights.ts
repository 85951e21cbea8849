import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSafetensors, type NamedArray } from '../../../agent/weights/safetensors.ts';
import { importCheckpoint } from '../../../server/checkpoints/import-checkpoint.ts';
import { readCheckpoint } from '../../../server/checkpoints/read-checkpoint.ts';

type Arrays = ReadonlyMap<string, NamedArray>;

/** Lost from files whose export dropped all names that end in `attn.bias`; README.md of the reference numbers tells the story. */
const LOST = /^encoder\.h\.\d+\.attn\.c_attn\.bias$/;

/** Our own copy, in which the biases that the export lost are solved for. */
const COMPLETED = join(import.meta.dirname, 'reference');

/**
 * The weights of each case. Where a file lacks the biases of the attention they come from the checkpoint of the same case, from that of
 * `mddt` if the case has the very same blocks, or from our own copy of the reference numbers if all else in it is the same. A case for
 * which there is none of them, or no file, is left out.
 */
export async function readGoldenWeights<Name extends string>(
  folder: string,
  names: readonly Name[],
): Promise<Map<Name, Arrays>> {
  const weights = new Map<Name, Arrays>();
  for (const name of names) {
    if (!existsSync(weightsFile(folder, name))) continue;
    const arrays = readArrays(folder, name);
    const whole = arrays.has('encoder.h.0.attn.c_attn.bias');
    const donor = whole
      ? arrays
      : ((await readZip(folder, name)) ?? (await sameBlocks(folder, arrays)) ?? completed(name, arrays));
    if (donor === undefined) continue;
    weights.set(name, new Map([...arrays, ...[...donor].filter(([weight]) => LOST.test(weight))]));
  }
  return weights;
}

async function sameBlocks(folder: string, arrays: Arrays): Promise<Arrays | undefined> {
  if (!existsSync(weightsFile(folder, 'mddt'))) return undefined;
  const bare = readArrays(folder, 'mddt');
  const ofBlocks = [...bare.keys()].filter((name) => name.startsWith('encoder.h.'));
  const same = ofBlocks.every((name) => String(bare.get(name)?.data) === String(arrays.get(name)?.data));
  return same ? readZip(folder, 'mddt') : undefined;
}

/** The case as we have it, if it is the same in every number that the file does have. */
function completed(name: string, arrays: Arrays): Arrays | undefined {
  const ours = readArrays(COMPLETED, name);
  const same = [...arrays].every(([weight, { data }]) => String(ours.get(weight)?.data) === String(data));
  return same ? ours : undefined;
}

async function readZip(folder: string, name: string): Promise<Arrays | undefined> {
  const file = join(folder, `${name}.checkpoint.zip`);
  if (!existsSync(file)) return undefined;
  const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as { config: { heads: number } };
  const to = await mkdtemp(join(tmpdir(), 'l2m-golden-'));
  try {
    const provenance = { command: 'test', commit: 'unknown', versions: {} };
    const target = join(to, 'checkpoint');
    await importCheckpoint(file, { folder: target, name, overwrite: false, provenance, heads: meta.config.heads });
    return (await readCheckpoint(target)).arrays;
  } finally {
    await rm(to, { recursive: true, force: true });
  }
}

function readArrays(folder: string, name: string): Arrays {
  return parseSafetensors(readFileSync(weightsFile(folder, name))).arrays;
}

function weightsFile(folder: string, name: string): string {
  return join(folder, `${name}.weights.safetensors`);
}
