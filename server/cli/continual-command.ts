import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskId } from '../../protocol/task.ts';
import type { ServerConfig } from '../config-schema.ts';
import { collectMissing } from '../continual/collect-missing.ts';
import type { ContinualSettings } from '../continual/continual-options.ts';
import { CONTINUAL_METHODS, DEFAULT_METHODS, methodNamed, type MethodName } from '../continual/methods.ts';
import { matrixOf } from '../continual/evaluation-rows.ts';
import { matrixPicture } from '../continual/matrix-picture.ts';
import { runContinual } from '../continual/run-continual.ts';
import { RunFolder } from '../continual/run-folder.ts';
import { tasksToRead } from '../continual/training-material.ts';
import { L2mError } from '../errors.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import {
  addContinualFlags,
  CONTINUAL_CONFIG,
  placesOf,
  sequenceOf,
  settingsMaker,
  trajectoriesOf,
  type ContinualFlags,
} from './continual-flags.ts';
import { withContinualSession, type ContinualSession } from './continual-session.ts';
import { matrixTable, scoreLines } from './continual-tables.ts';
import { wholeNumber } from './option-values.ts';
import { quickComparison } from './quick-comparison.ts';

interface TrainingFlags extends ContinualFlags {
  readonly sequence: string;
  readonly task?: string;
  readonly method?: MethodName;
  readonly seed: number;
  readonly resume?: true;
  readonly picture?: string;
  readonly quick?: true;
}

/** `l2m continual`: a sequence of tasks learned one after the other, every task evaluated at every stage. */
export function addContinualCommand(program: Command, outcome: { exitCode: number }): void {
  const command = addTrainingFlags(program.command('continual'))
    .description('learn tasks one after the other and measure what is forgotten')
    .option('--sequence <list>', 'CW10, CW20, DMC6, CW10+DMC6, or tasks in their order', 'CW10')
    .option('--quick', 'three tasks by fitted keys and by full fine-tuning, in minutes; collects what it needs');
  addConfigOptions(command, CONTINUAL_CONFIG).addHelpText(
    'after',
    '\nMethods:\n' +
      Object.entries(CONTINUAL_METHODS)
        .map(([name, { what }]) => `  ${name.padEnd(20)}  ${what}\n`)
        .join('') +
      '\nExamples:\n' +
      '  $ npx l2m continual --sequence CW10 --method fitted-keys --steps-per-task 1000\n' +
      '  $ npx l2m continual --sequence hammer,push-wall --method ewc --collect 100\n' +
      '  $ npx l2m continual --name continual-cw10-fitted-keys-42 --resume\n' +
      '  $ npx l2m continual --quick\n' +
      '\nCtrl-C saves; --resume goes on from there, also on another machine to which the folder was copied.\n',
  );
  command.action(async (flags: TrainingFlags) => {
    outcome.exitCode = await run(flags, 'continual');
  });
}

/** `l2m finetune`: one task. */
export function addFinetuneCommand(program: Command, outcome: { exitCode: number }): void {
  const command = addTrainingFlags(program.command('finetune'))
    .description('learn one task by any method, and measure what is forgotten of the pre-training')
    .option('--task <name>', 'the task to learn');
  addConfigOptions(command, CONTINUAL_CONFIG).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m finetune --task hammer --method l2m-lora --steps-per-task 2000\n' +
      '  $ npx l2m finetune --task faucet-close --method full --collect 50\n' +
      '\nThe methods are those of `l2m continual --help`.\n',
  );
  command.action(async (flags: TrainingFlags) => {
    outcome.exitCode = await run(flags, 'finetune');
  });
}

function addTrainingFlags(command: Command): Command {
  return addContinualFlags(command)
    .option(
      '--method <name>',
      `how to learn; see below (default: ${DEFAULT_METHODS['small-machine']}, with --preset paper ${DEFAULT_METHODS.paper})`,
      methodNamed,
    )
    .option('--seed <number>', 'seed of new weights, windows and keys', wholeNumber(0, 0xffffffff), 42)
    .option('--picture <file>', 'write the forgetting matrix as a picture (SVG)')
    .option('--resume', 'go on where this training was');
}

async function run(flags: TrainingFlags, kind: 'continual' | 'finetune'): Promise<number> {
  const config = configOf(flags);
  if (flags.quick === true) return quickComparison(flags, config);
  const name = flags.name ?? defaultName(flags, kind);
  const folder = join(config.data, 'continual', name);
  const settings = flags.resume === true ? undefined : await settingsOf(flags, kind);
  return withContinualSession(config, flags.serve === true, async (session) => {
    if (settings !== undefined) await collectFor(session, { flags, config, settings });
    const stored = settings ?? (await new RunFolder(folder).read())?.settings;
    const result = await runContinual(
      session.server,
      {
        ...placesOf(flags, config),
        ...{ folder, settings: settings ?? ({} as ContinualSettings), resume: flags.resume === true },
      },
      session.hooks(() => stored),
    );
    session.progress.end();
    process.stdout.write(`${matrixTable(result.rows, result.settings)}\n`);
    if (result.summary !== undefined) process.stdout.write(`${scoreLines(result.summary)}\n`);
    process.stdout.write(`${folder}\n`);
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(result, null, 2)}\n`);
    if (flags.picture !== undefined) {
      const state = result.outcome;
      await writeFile(flags.picture, matrixPicture(matrixOf({ name, settings: result.settings, state }, result.rows)));
    }
    if (result.outcome === 'stopped') process.stdout.write(`go on with: npx l2m ${kind} --name ${name} --resume\n`);
    return result.outcome === 'finished' ? 0 : 130;
  });
}

async function settingsOf(flags: TrainingFlags, kind: 'continual' | 'finetune'): Promise<ContinualSettings> {
  const make = await settingsMaker(flags, kind);
  return make(methodOf(flags), flags.seed, tasksOf(flags, kind));
}

function tasksOf({ sequence, task }: TrainingFlags, kind: 'continual' | 'finetune'): TaskId[] {
  if (kind === 'continual') return sequenceOf(sequence);
  const hint = 'Name one task; for several there is `npx l2m continual --sequence`.';
  if (task === undefined) throw new L2mError('L2M_CONFIG_INVALID', 'no --task', { hint });
  const tasks = sequenceOf(task);
  if (tasks.length === 1) return tasks;
  throw new L2mError('L2M_CONFIG_INVALID', `--task ${task} is ${tasks.length} tasks`, { hint });
}

function methodOf({ method, preset }: TrainingFlags): MethodName {
  return method ?? DEFAULT_METHODS[preset];
}

function defaultName(flags: TrainingFlags, kind: 'continual' | 'finetune'): string {
  const what = kind === 'finetune' ? (flags.task ?? '') : flags.sequence;
  return `${kind}-${what}-${methodOf(flags)}-${flags.seed}`.toLowerCase().replace(/[^a-z0-9_-]+/g, '-');
}

/** Collects what a training lacks, where it was asked to. */
async function collectFor(
  { server, progress, signal }: ContinualSession,
  { flags, config, settings }: { flags: TrainingFlags; config: ServerConfig; settings: ContinualSettings },
): Promise<void> {
  if (flags.collect === undefined) return;
  await collectMissing(server, tasksToRead(settings), {
    ...{ trajectories: trajectoriesOf(flags, config), source: settings.source, episodes: flags.collect, signal },
    progress: (finished, planned) => progress.update(`collecting: ${finished}/${planned} episodes`),
  });
}
