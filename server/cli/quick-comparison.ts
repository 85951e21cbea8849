import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TASK_GROUPS } from '../../agent/tasks/groups.ts';
import type { TaskId } from '../../protocol/task.ts';
import type { ServerConfig } from '../config-schema.ts';
import { collectMissing } from '../continual/collect-missing.ts';
import type { ContinualSettings } from '../continual/continual-options.ts';
import type { MethodName } from '../continual/methods.ts';
import { runSweep } from '../continual/sweep.ts';
import { placesOf, settingsMaker, trajectoriesOf, type ContinualFlags } from './continual-flags.ts';
import { shippedCheckpoint } from './default-checkpoint.ts';
import { withContinualSession } from './continual-session.ts';
import { matrixTable, sweepTable } from './continual-tables.ts';
import { wholeRows } from '../continual/evaluation-rows.ts';
import { RunFolder } from '../continual/run-folder.ts';

/**
 * Easy ones of CW10 that the shipped model of MT10, whose data are quickly collected, has never seen. The hardest comes first, so that two
 * follow it that can make it be forgotten; the easiest comes last.
 */
const TASKS: readonly TaskId[] = ['push-wall', 'faucet-close', 'handle-press-side'].map(
  (name) => `metaworld/${name}-v3`,
);
const METHODS: readonly MethodName[] = ['fitted-keys', 'full'];
const SEED = 42;
/** Data of its own, so that it is the same everywhere. */
const SOURCE = 'quick';
const NEW_EPISODES = 40;
const OLD_EPISODES = 8;

const SMALLER: Partial<ContinualSettings> = {
  ...{ source: SOURCE, stepsPerTask: 150, evaluateEvery: 150, batchSize: 64, episodes: 6 },
  ...{ queryWindows: 2048, replayEpisodes: 10 },
};
const OTHERS: readonly TaskId[] = ['drawer-open', 'window-close'].map((name) => `metaworld/${name}-v3`);

/**
 * `l2m continual --quick`: the main claim in minutes. Three new tasks, one after the other, by fitted keys and by full fine-tuning, from the
 * small shipped model; collects its own few episodes first.
 */
export async function quickComparison(given: ContinualFlags, config: ServerConfig): Promise<number> {
  const flags = { ...given, checkpoint: given.checkpoint ?? shippedCheckpoint('mt10') };
  const name = flags.name ?? 'quick';
  const base = await settingsMaker({ ...flags, pretrainingTasks: OTHERS }, 'continual');
  const asGiven = base('full', SEED, TASKS);
  const settingsOf = (method: MethodName, seed: number, sequence: readonly TaskId[]): ContinualSettings => {
    const settings = { ...base(method, seed, sequence), ...SMALLER };
    return flags.stepsPerTask === undefined
      ? settings
      : { ...settings, stepsPerTask: asGiven.stepsPerTask, evaluateEvery: asGiven.stepsPerTask };
  };
  return withContinualSession(config, flags.serve === true, async ({ server, progress, signal, hooks }) => {
    const trajectories = trajectoriesOf(flags, config);
    const collect = (tasks: readonly TaskId[], episodes: number) =>
      collectMissing(server, tasks, {
        ...{ trajectories, source: SOURCE, episodes, signal },
        progress: (finished, planned) => progress.update(`collecting: ${finished}/${planned} episodes`),
      });
    await collect(TASKS, NEW_EPISODES);
    await collect(TASK_GROUPS.MT10, OLD_EPISODES);
    let current: ContinualSettings | undefined;
    const rows = await runSweep(
      server,
      {
        ...{ ...placesOf(flags, config), name, root: join(config.data, 'continual'), alone: false },
        ...{ methods: METHODS, seeds: [SEED], sequence: TASKS, settingsOf },
      },
      {
        ...hooks(() => current),
        begins: (run, place, count) => {
          const method = METHODS[place - 1] ?? 'full';
          current = settingsOf(method, SEED, TASKS);
          progress.note(`${run} (${place} of ${count})`);
        },
      },
    );
    progress.end();
    for (const { method, name: run } of rows) {
      const settings = settingsOf(method, SEED, TASKS);
      const folder = new RunFolder(join(config.data, 'continual', run));
      process.stdout.write(`${method}\n${matrixTable(wholeRows(folder.evaluations, settings), settings)}\n\n`);
    }
    process.stdout.write(`${sweepTable(rows, METHODS)}\n`);
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
    return rows.length === METHODS.length ? 0 : 130;
  });
}
