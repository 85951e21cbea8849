import type { Command } from 'commander';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectPool, type InspectedPool } from '../continual/inspect-pool.ts';
import { RunFolder } from '../continual/run-folder.ts';
import { unknownNameError } from '../errors.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { plainTable } from './continual-tables.ts';

interface PoolFlags extends Record<string, unknown> {
  readonly json?: string;
}

/** `l2m pool`: which modulators of a continual training serve which task. */
export function addPoolCommand(program: Command): void {
  const command = program
    .command('pool <training>')
    .description('look into the pool of a continual training: who is served by which modulator')
    .option('--json <file>', 'write the same as JSON');
  addConfigOptions(command, ['data']).addHelpText(
    'after',
    '\nExamples:\n  $ npx l2m pool continual-cw10-l2m-lora-42\n' +
      '\nA row of the pool belongs to the task whose training changed it most. "own" is the share of steps that rows of the\n' +
      'task itself decided, or, for tasks of the pre-training, rows that no training has changed. "1→2": share of steps\n' +
      'whose row was the same after task 2 as after task 1. Keys are listed where several point to one row.\n',
  );
  command.action(async (training: string, flags: PoolFlags) => {
    const root = join(configOf(flags).data, 'continual');
    const folder = new RunFolder(join(root, training));
    const run = await folder.read();
    if (run === undefined) throw unknownNameError('L2M_RUN_UNKNOWN', training, await readdir(root).catch(() => []));
    const pool = await inspectPool(folder, run.settings);
    process.stdout.write(poolText(pool));
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(pool, null, 2)}\n`);
  });
}

export function poolText(pool: InspectedPool): string {
  const { rows, tasks, stages } = pool;
  const ofTasks = plainTable(['task', 'rows when learned', 'rows at last', 'kept', 'own'], 3);
  for (const { task, learned, whenLearned, latest, kept, accuracy } of tasks) {
    const name = learned ? task : `${task} (pre-training)`;
    ofTasks.push([name, sharesText(whenLearned), sharesText(latest), percent(kept), percent(accuracy)]);
  }
  const switches = Array.from({ length: Math.max(0, stages - 1) }, (_, place) => `${place + 1}→${place + 2}`);
  const moves = plainTable(['task', ...switches], 1);
  for (const { task, keptAtSwitches } of tasks)
    moves.push([task, ...switches.map((_, i) => percent(keptAtSwitches[i] ?? null))]);
  const stageNames = Array.from({ length: stages }, (_, stage) => `after ${stage + 1}`);
  const ofRows = plainTable(['row', 'belongs to', 'keys', ...stageNames], 2);
  for (const { row, owner, keys, norms } of rows) {
    ofRows.push([String(row), owner, String(keys), ...norms.map((norm) => norm.toFixed(2))]);
  }
  const parts = [ofTasks, ...(switches.length === 0 ? [] : [moves]), ofRows, ...keysTable(pool)];
  return `${parts.map((table) => table.toString()).join('\n\n')}\n`;
}

/** Keys by the row they point to, each with the tasks whose steps it takes. */
function keysTable({ keys }: InspectedPool): ReturnType<typeof plainTable>[] {
  if (keys.length === 0) return [];
  const table = plainTable(['key', 'row', 'belongs to', 'takes'], 4);
  for (const { key, row, owner, shares } of [...keys].sort((a, b) => a.row - b.row || a.key - b.key)) {
    table.push([String(key), String(row), owner ?? 'identity', sharesText(shares)]);
  }
  return [table];
}

/** `24 93 %, 5 7 %`: the rows that decide most, at most four. */
function sharesText(shares: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(shares).sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, 4).map(([row, share]) => `${row} ${percent(share)}`);
  return shown.length === 0 ? '–' : shown.join(', ') + (sorted.length > 4 ? ', …' : '');
}

function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(100 * share)} %`;
}
