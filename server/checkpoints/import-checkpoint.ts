import {
  PAPER_OPTIONS,
  checkModelConfig,
  checkModulationConfig,
  type ModelConfig,
  type ModulationConfig,
} from '../../agent/config.ts';
import { modelShapes, poolShapes, unusedShapes, type Shapes } from '../../agent/weights/names.ts';
import { L2mError } from '../errors.ts';
import { invalidCheckpoint, type CheckpointManifest } from './manifest.ts';
import { referenceModel, type UnstoredSizes } from './reference-model.ts';
import { openTorchArchive, type TorchArchive } from './torch-archive.ts';
import type { TorchTensor } from './torch-pickle.ts';
import type { WeightArrays } from './weights-file.ts';
import { writeCheckpoint } from './write-checkpoint.ts';
import { openZip, type ZipArchive } from './zip-archive.ts';

/** What became of every entry of an imported file. */
export interface ImportReport {
  readonly model: ModelConfig;
  readonly modulation: ModulationConfig;
  /** What the file does not say and was taken from the paper. */
  readonly assumed: readonly string[];
  /** Weights taken over, by the reference's names. */
  readonly used: readonly string[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Weights the model needs and the file lacks, or has in another shape. */
  readonly missing: readonly string[];
}

export interface ImportCheckpointOptions extends UnstoredSizes {
  /** The folder that the checkpoint becomes; absent: only look at the file. */
  readonly folder?: string | undefined;
  readonly name: string;
  readonly overwrite: boolean;
  readonly provenance: CheckpointManifest['provenance'];
}

/** The weights of an agent inside the reference's own checkpoint. */
const POLICY_ENTRY = 'policy.pth';
const POLICY_LIMIT_BYTES = 2 ** 31 - 1;

/**
 * Turns the reference's checkpoint, a zip around PyTorch's zip (spec §7.3), or that inner file alone, into a checkpoint folder.
 * Nothing in the file is executed; optimiser, settings and buffers are left out, as are usage counters, which the reference skips too.
 *
 * @throws L2mError L2M_CHECKPOINT_INVALID for a file that is damaged, no state dictionary, or lacks weights; L2M_CONFIG_INVALID,
 * L2M_STORE_UNWRITABLE
 */
export async function importCheckpoint(file: string, options: ImportCheckpointOptions): Promise<ImportReport> {
  const outer = await openZip({ from: file, where: file, code: 'L2M_CHECKPOINT_INVALID' });
  try {
    const inner = await policyArchive(outer, file);
    try {
      return await importPolicy(await openTorchArchive(inner), file, options);
    } finally {
      inner.close();
    }
  } finally {
    outer.close();
  }
}

async function policyArchive(outer: ZipArchive, file: string): Promise<ZipArchive> {
  if (outer.sizeOf(POLICY_ENTRY) === undefined) {
    if (outer.names.some((name) => name.endsWith('/data.pkl'))) return outer;
    throw invalidCheckpoint(
      file,
      `it has no ${POLICY_ENTRY}; it holds ${outer.names.slice(0, 5).join(', ') || 'nothing'}`,
    );
  }
  const bytes = await outer.read(POLICY_ENTRY, POLICY_LIMIT_BYTES);
  if (bytes[0] === 0x80) {
    throw new L2mError('L2M_CHECKPOINT_INVALID', `${file}: ${POLICY_ENTRY} was saved by PyTorch before 1.6`, {
      hint: 'Load and save it with PyTorch 1.6 or later, which writes zip archives.',
    });
  }
  return openZip({ from: bytes, where: `${file}/${POLICY_ENTRY}`, code: 'L2M_CHECKPOINT_INVALID' });
}

async function importPolicy(
  archive: TorchArchive,
  file: string,
  options: ImportCheckpointOptions,
): Promise<ImportReport> {
  const tensors = namedTensors(archive, file);
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape] as const));
  const { model, modulation, assumed } = referenceModel(shapes, options, file);
  checkModelConfig(model);
  checkModulationConfig(modulation);
  const wanted: Record<'model' | 'pool', Shapes> = {
    model: modelShapes(model),
    pool: poolShapes(model, modulation),
  };
  const all: Shapes = { ...wanted.model, ...wanted.pool };
  const report: ImportReport = { model, modulation, assumed, ...sorted(archive, tensors, { all, model }) };
  if (options.folder === undefined) return report;
  if (report.missing.length > 0) {
    throw new L2mError('L2M_CHECKPOINT_INVALID', `${file} lacks ${report.missing.join(', ')}`, {
      hint: 'See with --check what the file holds; --heads, --context and --action-size say what it does not.',
    });
  }
  await writeCheckpoint(
    options.folder,
    {
      manifest: {
        name: options.name,
        createdAt: new Date().toISOString(),
        model,
        modulation,
        options: PAPER_OPTIONS as CheckpointManifest['options'],
        targetReturns: {},
        data: [],
        lineage: [],
        provenance: options.provenance,
      },
      model: await arraysOf(archive, tensors, wanted.model),
      pool: await arraysOf(archive, tensors, wanted.pool),
    },
    { overwrite: options.overwrite },
  );
  return report;
}

/** Tensors by name, without the `module.` that data-parallel training puts in front. */
function namedTensors({ tensors }: TorchArchive, file: string): Map<string, TorchTensor> {
  const named = new Map<string, TorchTensor>();
  for (const [fileName, tensor] of tensors) {
    const name = fileName.startsWith('module.') ? fileName.slice('module.'.length) : fileName;
    if (named.has(name)) throw invalidCheckpoint(file, `${name} comes twice`);
    named.set(name, tensor);
  }
  return named;
}

function sorted(
  { others }: TorchArchive,
  tensors: ReadonlyMap<string, TorchTensor>,
  { all, model }: { readonly all: Shapes; readonly model: ModelConfig },
): Pick<ImportReport, 'used' | 'skipped' | 'missing'> {
  const used: string[] = [];
  const skipped = others.map((name) => ({ name, reason: 'no tensor' }));
  const missing = new Set(Object.keys(all));
  const unused = unusedShapes(model);
  for (const [name, { shape, storage }] of tensors) {
    const wanted = Object.hasOwn(all, name) ? all[name] : undefined;
    if (wanted === undefined) {
      skipped.push({ name, reason: reasonToSkip(name, unused) });
    } else if (!storage.type.includes('float')) {
      skipped.push({ name, reason: `holds ${storage.type}` });
    } else if (wanted.join() !== shape.join()) {
      skipped.push({ name, reason: `is [${shape.join(', ')}] instead of [${wanted.join(', ')}]` });
    } else {
      used.push(name);
      missing.delete(name);
    }
  }
  return { used, skipped, missing: [...missing] };
}

function reasonToSkip(name: string, unused: Shapes): string {
  if (Object.hasOwn(unused, name)) return 'read by no decision and no loss';
  if (/\.attn\.(masked_)?bias$/.test(name)) return 'attention mask, made anew';
  if (/^prompt\.(counts|inv_counts_so_far)$/.test(name))
    return 'usage counter, which the reference does not load either';
  return 'unknown to this model';
}

async function arraysOf(
  archive: TorchArchive,
  tensors: ReadonlyMap<string, TorchTensor>,
  shapes: Shapes,
): Promise<WeightArrays> {
  const arrays = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, shape] of Object.entries(shapes)) {
    const tensor = tensors.get(name);
    const data = tensor === undefined ? undefined : await archive.readFloats(tensor);
    if (data !== undefined) arrays.set(name, { shape, data });
  }
  return arrays;
}
