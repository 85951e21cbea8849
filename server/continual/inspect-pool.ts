import { isPool } from '../../agent/config.ts';
import { initialArrays } from '../../agent/weights/initialise.ts';
import { KEY_BIAS_NAME, KEY_MODULATOR_NAME, KEY_NAME, POOL_TABLES, poolShapes } from '../../agent/weights/names.ts';
import type { TaskId } from '../../protocol/task.ts';
import { policyConfigOf } from '../checkpoints/manifest.ts';
import { readCheckpoint, type Checkpoint } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';
import { randomFor } from '../learning/window-sampler.ts';
import { timetableOf, type ContinualSettings } from './continual-options.ts';
import { evaluatedTasks, wholeRows, type EvaluationRow } from './evaluation-rows.ts';
import type { RunFolder } from './run-folder.ts';
import { stageAfter } from './timetable.ts';

/** One row of a pool that some task has changed. */
export interface InspectedRow {
  readonly row: number;
  /** The task whose training changed it most. */
  readonly owner: TaskId;
  /** Distance of its weights from where they began, after each stage. */
  readonly norms: readonly number[];
  /** Keys in use that point to it. */
  readonly keys: number;
}

/** One key of a pool in which several point to one row. */
export interface InspectedKey {
  readonly key: number;
  readonly row: number;
  /** The task that the row belongs to; null for the identity, which nothing has changed. */
  readonly owner: TaskId | null;
  /** Share of each task's steps, at last, that this key was nearest to; tasks of which it decided nothing are left out. */
  readonly shares: Readonly<Record<TaskId, number>>;
}

/** Which rows decide for one task. */
export interface InspectedTask {
  readonly task: TaskId;
  readonly learned: boolean;
  /** Share of steps by row, right after the task was learned (before learning, for tasks of the pre-training: empty) and at last. */
  readonly whenLearned: Readonly<Record<string, number>>;
  readonly latest: Readonly<Record<string, number>>;
  /** Share of steps that both have in common: how little the selection has moved. */
  readonly kept: number | null;
  /** The same from each stage to the next, the first entry from the first task to the second; null where one was not evaluated. */
  readonly keptAtSwitches: readonly (number | null)[];
  /** Task inference: share of steps decided by rows of its own, or, for the pre-training, by rows that nothing has changed. */
  readonly accuracy: number | null;
}

export interface InspectedPool {
  readonly stages: number;
  readonly rows: readonly InspectedRow[];
  /** Empty where every key has a row of its own. */
  readonly keys: readonly InspectedKey[];
  readonly tasks: readonly InspectedTask[];
}

/**
 * Looks into the pool of a continual training, running or over: which rows serve which task, how far they have moved, and whether states
 * choose the modulator of their own task.
 *
 * @throws L2mError L2M_CONFIG_INVALID for a method without a pool
 */
export async function inspectPool(folder: RunFolder, settings: ContinualSettings): Promise<InspectedPool> {
  const { stepsPerTask, sequence } = settings;
  const ends = (await folder.snapshots()).filter((update) => update > 0 && update % stepsPerTask === 0);
  const snapshots: Checkpoint[] = [];
  for (const update of ends) snapshots.push(await readCheckpoint(folder.snapshot(update)));
  const latest = snapshots.at(-1);
  if (latest === undefined) {
    throw new L2mError('L2M_RUN_STATE', `${folder.name} has not finished its first task`, {
      hint: 'Look again when it has.',
    });
  }
  const { modulation } = policyConfigOf(latest.manifest);
  if (!isPool(modulation)) {
    throw new L2mError('L2M_CONFIG_INVALID', `${settings.method} has no pool to look into`, {
      hint: 'Pools are those of l2m-lora, l2m-ia3, l2m-oracle, fitted-keys and the l2p methods.',
    });
  }
  const pools = [initialPool(latest, settings.seed), ...snapshots.map((snapshot) => poolOf(snapshot))];
  const rows: InspectedRow[] = [];
  for (let row = 0; row < modulation.poolSize; row++) {
    const changes = pools.slice(1).map((pool, stage) => distance(pool, pools[stage], { row, of: modulation.poolSize }));
    const most = Math.max(...changes);
    const owner = sequence[changes.indexOf(most)];
    if (most === 0 || owner === undefined) continue;
    const norms = pools.slice(1).map((pool) => distance(pool, pools[0], { row, of: modulation.poolSize }));
    rows.push({ row, owner, norms, keys: keysOf(latest, row) });
  }
  const evaluations = wholeRows(folder.evaluations, settings);
  const keys = modulation.keyTable === true ? inspectKeys(latest, { rows, evaluations, settings }) : [];
  return { stages: ends.length, rows, keys, tasks: inspectTasks(evaluations, settings, rows) };
}

/** Every key in use, and whom it serves. */
function inspectKeys(
  { arrays }: Checkpoint,
  parts: {
    readonly rows: readonly InspectedRow[];
    readonly evaluations: readonly EvaluationRow[];
    readonly settings: ContinualSettings;
  },
): InspectedKey[] {
  const { rows, evaluations, settings } = parts;
  const owners = new Map(rows.map(({ row, owner }) => [row, owner] as const));
  const served = evaluatedTasks(settings).map((task) => {
    const latest = evaluations.filter((row) => row.task === task).sort((a, b) => a.update - b.update);
    return { task, shares: sharesOf(latest.at(-1)?.keys) };
  });
  const biases = arrays.get(KEY_BIAS_NAME)?.data ?? [];
  return Array.from(arrays.get(KEY_MODULATOR_NAME)?.data ?? [], Number).flatMap((row, key) => {
    if (Number(biases[key]) !== 0) return [];
    const shares = served.flatMap(({ task, shares: own }) => {
      const share = own[String(key)];
      return share === undefined ? [] : [[task, share] as const];
    });
    return [{ key, row, owner: owners.get(row) ?? null, shares: Object.fromEntries(shares) }];
  });
}

/** Which rows decided for each task, and whether they were its own. */
export function inspectTasks(
  evaluations: readonly EvaluationRow[],
  settings: ContinualSettings,
  rows: readonly Pick<InspectedRow, 'row' | 'owner'>[],
): InspectedTask[] {
  const { sequence } = settings;
  const timetable = timetableOf(settings);
  const owners = new Map(rows.map(({ row, owner }) => [String(row), owner] as const));
  return evaluatedTasks(settings).map((task) => {
    const own = evaluations.filter((row) => row.task === task).sort((a, b) => a.update - b.update);
    const stage = sequence.lastIndexOf(task) + 1;
    const atEnd = (of: number) => own.findLast((row) => stageAfter(timetable, row.update) === of)?.modulators;
    const stages = sequence.map((_, place) => sharesOf(atEnd(place + 1)));
    const whenLearned = stages[stage - 1] ?? {};
    const latest = sharesOf(own.at(-1)?.modulators);
    const all = Object.entries(latest);
    const right = all.filter(([row]) => owners.get(row) === (stage > 0 ? task : undefined));
    return {
      ...{ task, learned: stage > 0, whenLearned, latest },
      kept: inCommon(whenLearned, latest),
      keptAtSwitches: stages.slice(1).map((after, place) => inCommon(stages[place] ?? {}, after)),
      accuracy: all.length === 0 ? null : sum(right.map(([, share]) => share)),
    };
  });
}

/** Share of steps that two selections have in common; null where one of them is not known. */
function inCommon(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): number | null {
  if (Object.keys(before).length === 0 || Object.keys(after).length === 0) return null;
  return sum(Object.entries(after).map(([index, share]) => Math.min(share, before[index] ?? 0)));
}

function sharesOf(counts: Readonly<Record<string, number>> = {}): Record<string, number> {
  const steps = Object.entries(counts);
  const total = sum(steps.map(([, count]) => count));
  return Object.fromEntries(steps.map(([key, count]) => [key, count / total] as const));
}

type Pool = ReadonlyMap<string, Float32Array>;
const isTable = (name: string): boolean => [KEY_NAME, ...POOL_TABLES].includes(name);

function poolOf({ manifest, arrays }: Checkpoint): Pool {
  const names = Object.keys(poolShapes(manifest.model, manifest.modulation)).filter((name) => !isTable(name));
  return new Map(names.map((name) => [name, Float32Array.from(arrays.get(name)?.data ?? [], Number)] as const));
}

/** The pool before the first update, drawn as the training drew it. */
function initialPool({ manifest }: Checkpoint, seed: number): Pool {
  const { model, modulation } = policyConfigOf(manifest);
  const drawn = initialArrays({ model, modulation }, randomFor(seed, 'pool', 0));
  const names = Object.keys(poolShapes(model, modulation)).filter((name) => !isTable(name));
  return new Map(names.map((name) => [name, drawn.get(name)?.data ?? new Float32Array()] as const));
}

/** Frobenius norm of the difference of one row of two pools. */
function distance(a: Pool, b: Pool | undefined, { row, of }: { readonly row: number; readonly of: number }): number {
  let squares = 0;
  for (const [name, values] of a) {
    const length = values.length / of;
    const other = b?.get(name);
    for (let i = row * length; i < (row + 1) * length; i++) squares += ((values[i] ?? 0) - (other?.[i] ?? 0)) ** 2;
  }
  return Math.sqrt(squares);
}

function keysOf({ arrays }: Checkpoint, row: number): number {
  const modulators = arrays.get(KEY_MODULATOR_NAME)?.data;
  const biases = arrays.get(KEY_BIAS_NAME)?.data;
  if (modulators === undefined || biases === undefined) return 1;
  return Array.from(modulators, Number).filter((each, key) => each === row && Number(biases[key]) === 0).length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
