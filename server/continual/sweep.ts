import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { forwardTransfer } from '../../agent/scoring/continual.ts';
import type { TaskId } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import { L2mError } from '../errors.ts';
import type { ContinualSettings } from './continual-options.ts';
import { evaluatedTasks, resultOf, wholeRows, type EvaluationRow } from './evaluation-rows.ts';
import type { MethodName } from './methods.ts';
import { holdsRun, runContinual, type ContinualHooks, type ContinualOptions } from './run-continual.ts';
import { RunFolder } from './run-folder.ts';
import { readSummary, type ContinualSummary } from './summary.ts';

export interface SweepOptions extends Omit<ContinualOptions, 'folder' | 'settings' | 'resume'> {
  readonly name: string;
  /** `<data>/continual`; each training has a folder of its own in it. */
  readonly root: string;
  readonly methods: readonly MethodName[];
  readonly seeds: readonly number[];
  readonly sequence: readonly TaskId[];
  readonly settingsOf: (method: MethodName, seed: number, sequence: readonly TaskId[]) => ContinualSettings;
  /** Also learns each task alone, as the reference of forward transfer. */
  readonly alone: boolean;
}

export interface SweepHooks extends ContinualHooks {
  /** Before each training that is not there already. */
  begins(name: string, place: number, count: number): void;
}

/** One training of a sweep that is finished. */
export interface SweepRow {
  readonly method: MethodName;
  readonly seed: number;
  readonly name: string;
  readonly summary: ContinualSummary;
  /** Null unless each task was learned alone, too. */
  readonly forwardTransfer: number | null;
}

interface Planned {
  readonly name: string;
  readonly settings: ContinualSettings;
}

/**
 * Trains every method with every seed, one after the other. What is finished already is not done again, what was interrupted goes on.
 * @returns rows of what is finished; fewer than planned when it was stopped
 */
export async function runSweep(server: LiveServer, options: SweepOptions, hooks: SweepHooks): Promise<SweepRow[]> {
  const pairs = pairsOf(options);
  const plans = pairs.flatMap(({ method, seed }) => plannedFor(options, method, seed));
  for (const [place, plan] of plans.entries()) {
    if (hooks.signal.aborted) break;
    await ensure(
      server,
      { options, plan },
      { ...hooks, begins: () => hooks.begins(plan.name, place + 1, plans.length) },
    );
  }
  const rows = await Promise.all(pairs.map(({ method, seed }) => rowFor(options, method, seed)));
  return rows.filter((row) => row !== undefined);
}

function plannedFor(options: SweepOptions, method: MethodName, seed: number): Planned[] {
  const { name, sequence, settingsOf, alone } = options;
  const whole = { name: `${name}-${method}-${seed}`, settings: settingsOf(method, seed, sequence) };
  const singles = alone ? [...new Set(sequence)] : [];
  return [whole, ...singles.map((task) => aloneOf(options, { method, seed, task }))];
}

function aloneOf(
  { name, settingsOf }: SweepOptions,
  { method, seed, task }: { readonly method: MethodName; readonly seed: number; readonly task: TaskId },
): Planned {
  const short = task.slice(task.indexOf('/') + 1);
  return { name: `${name}-${method}-${seed}-alone-${short}`, settings: settingsOf(method, seed, [task]) };
}

async function ensure(
  server: LiveServer,
  { options, plan }: { readonly options: SweepOptions; readonly plan: Planned },
  hooks: SweepHooks,
): Promise<void> {
  const path = join(options.root, plan.name);
  const folder = new RunFolder(path);
  const same = await holdsRun(path, plan.settings);
  if (!options.overwrite && same && (await readSummary(folder)) !== undefined) return;
  if (!options.overwrite && !same && (await folder.read()) !== undefined) {
    throw new L2mError('L2M_RUN_MISMATCH', `the continual training ${plan.name} has other settings`, {
      hint: 'Sweep with the settings it began with, choose another --name, or start over by --overwrite.',
    });
  }
  hooks.begins(plan.name, 0, 0);
  const resume = same && !options.overwrite;
  // A folder without a `run.json` was never begun.
  const overwrite = options.overwrite || !resume;
  const before = await bareRows(options, plan.settings);
  await runContinual(server, { ...options, folder: path, settings: plan.settings, resume, overwrite, before }, hooks);
}

/** How the bare model does, from a training of the sweep that has evaluated it already: it is the same for all methods and seeds. */
async function bareRows(options: SweepOptions, settings: ContinualSettings): Promise<EvaluationRow[]> {
  const { episodes, evaluationSeed, protocol, horizon } = settings;
  for (const { method, seed } of pairsOf(options)) {
    const [whole] = plannedFor(options, method, seed);
    if (whole === undefined) continue;
    const folder = new RunFolder(join(options.root, whole.name));
    const other = (await folder.read())?.settings;
    const how = { episodes, evaluationSeed, protocol, horizon };
    if (other === undefined || !isDeepStrictEqual({ ...other, ...how }, other)) continue;
    const rows = wholeRows(folder.evaluations, other).filter(({ update }) => update === 0);
    const wanted = evaluatedTasks(settings).flatMap((task) => rows.find((row) => row.task === task) ?? []);
    if (wanted.length === evaluatedTasks(settings).length) return wanted;
  }
  return [];
}

function pairsOf({ seeds, methods }: SweepOptions): { readonly method: MethodName; readonly seed: number }[] {
  return seeds.flatMap((seed) => methods.map((method) => ({ method, seed })));
}

async function rowFor(options: SweepOptions, method: MethodName, seed: number): Promise<SweepRow | undefined> {
  const [whole] = plannedFor(options, method, seed);
  if (whole === undefined) return undefined;
  const folder = new RunFolder(join(options.root, whole.name));
  const summary = await readSummary(folder);
  if (summary === undefined) return undefined;
  const references = new Map<string, number>();
  for (const task of options.alone ? new Set(options.sequence) : []) {
    const { name } = aloneOf(options, { method, seed, task });
    const area = (await readSummary(new RunFolder(join(options.root, name))))?.areas[task];
    if (area !== undefined) references.set(task, area);
  }
  const result = resultOf(wholeRows(folder.evaluations, whole.settings), whole.settings, 'any-time');
  return { method, seed, name: whole.name, summary, forwardTransfer: forwardTransfer(result, references) };
}
