import { MODEL_PRESETS } from '../../agent/config.ts';
import { stateIndices } from '../../agent/context/state-mapping.ts';
import type { TaskSpec } from '../../protocol/task.ts';
import type { ZipArchive } from '../checkpoints/zip-archive.ts';
import { L2mError } from '../errors.ts';
import { npyEntry, readRows, type NpyEntry } from './npy-entry.ts';
import { sizesOf } from './trajectory-format.ts';

/** Steps out of one .npz file of the reference, N rows. */
export interface ReferenceArrays {
  /** Whether the file is one whole episode, or a replay buffer of many. */
  readonly form: 'episode' | 'buffer';
  /** [N, W] the simulator's own values in its own order. */
  readonly observations: Float32Array;
  /** [N, A] clipped to [-1, 1] */
  readonly actions: Float32Array;
  /** [N] unscaled */
  readonly rewards: Float32Array;
  /** [N] not 0 in the last step of an episode; empty for the form `episode`. */
  readonly dones: Float32Array;
  readonly clippedActions: number;
  /** Names of the arrays, without `.npy`. */
  readonly used: readonly string[];
  readonly skipped: readonly string[];
}

const UNIFIED_SIZE = MODEL_PRESETS.paper.stateSize;

/**
 * Reads the arrays of a replay buffer (`observations`, `actions`, `rewards`, `dones`) or of one episode (`states` instead); others are left
 * out (spec §7.1). Observations are native, or spread over the 204 unified values, and come back native.
 *
 * @throws L2mError L2M_DATA_INVALID naming what is missing or does not fit
 */
export async function readReferenceArrays(archive: ZipArchive, spec: TaskSpec): Promise<ReferenceArrays> {
  const keys = archive.names.filter((name) => name.endsWith('.npy')).map((name) => name.slice(0, -'.npy'.length));
  const form = keys.includes('states') && !keys.includes('observations') ? 'episode' : 'buffer';
  const wanted =
    form === 'episode' ? ['states', 'actions', 'rewards'] : ['observations', 'actions', 'rewards', 'dones'];
  const entries: NpyEntry[] = [];
  for (const key of wanted) {
    const entry = await npyEntry(archive, key);
    if (entry === undefined) {
      throw invalid(archive, `it lacks ${key}; it holds ${keys.slice(0, 8).join(', ') || 'no arrays'}`);
    }
    entries.push(entry);
  }
  const [states, actionEntry, rewardEntry, doneEntry] = entries;
  if (states === undefined || actionEntry === undefined || rewardEntry === undefined)
    throw invalid(archive, 'no arrays');
  const rows = states.shape[0] ?? 0;
  const { actionSize } = sizesOf(spec);
  const actions = await readRows(actionEntry, { width: widthOf(actionEntry, rows, actionSize) });
  return {
    form,
    observations: await readObservations(states, rows, spec),
    rewards: await readRows(rewardEntry, { width: widthOf(rewardEntry, rows, 1) }),
    dones:
      doneEntry === undefined ? new Float32Array() : await readRows(doneEntry, { width: widthOf(doneEntry, rows, 1) }),
    clippedActions: clip(actions),
    actions,
    used: wanted,
    skipped: keys.filter((key) => !wanted.includes(key)),
  };
}

async function readObservations(entry: NpyEntry, rows: number, spec: TaskSpec): Promise<Float32Array> {
  const { observationSize } = sizesOf(spec);
  const found = entry.shape.slice(1).reduce((product, length) => product * length, 1);
  if (found !== UNIFIED_SIZE) return readRows(entry, { width: widthOf(entry, rows, observationSize) });
  const lost = new Set<number>();
  const options = { columns: stateIndices(spec, UNIFIED_SIZE), onLost: (column: number) => lost.add(column) };
  const observations = await readRows(entry, { width: widthOf(entry, rows, UNIFIED_SIZE), ...options });
  if (lost.size > 0) {
    const columns = [...lost].slice(0, 5).join(', ');
    throw invalid(entry.archive, `${entry.name} uses the columns ${columns}, which ${spec.task} does not observe`);
  }
  return observations;
}

/** The width of a row, if the array is [rows, width] or [rows, 1, width] as a replay buffer of one environment has it. */
function widthOf(entry: NpyEntry, rows: number, expected: number): number {
  const [count, ...rest] = entry.shape;
  const width = rest.reduce((product, length) => product * length, 1);
  const oneEnvironment = rest.length < 2 || rest[0] === 1;
  if (count !== rows || width !== expected || !oneEnvironment) {
    throw invalid(entry.archive, `${entry.name} is [${entry.shape.join(', ')}], expected [${rows}, 1, ${expected}]`);
  }
  return width;
}

/** Actions beyond ±1 fall into the outermost bins anyway. */
function clip(actions: Float32Array): number {
  let clipped = 0;
  actions.forEach((action, i) => {
    if (Math.abs(action) <= 1 || Number.isNaN(action)) return;
    actions[i] = Math.sign(action);
    clipped++;
  });
  return clipped;
}

function invalid(archive: ZipArchive, got: string): L2mError {
  return new L2mError('L2M_DATA_INVALID', `${archive.where}: ${got}`, {
    hint: 'Import the .npz files of the reference’s data sets, one a task or one an episode.',
  });
}
