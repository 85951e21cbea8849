import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collectMissing } from '../continual/collect-missing.ts';
import type { ContinualSettings } from '../continual/continual-options.ts';
import { methodNamed, type MethodName } from '../continual/methods.ts';
import { runSweep } from '../continual/sweep.ts';
import { tasksToRead } from '../continual/training-material.ts';
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
import { withContinualSession } from './continual-session.ts';
import { sweepTable } from './continual-tables.ts';
import { numberList } from './option-values.ts';

interface SweepFlags extends ContinualFlags {
  readonly sequence: string;
  readonly methods: readonly MethodName[];
  readonly seeds: readonly number[];
  readonly forwardTransfer?: true;
}

/** `l2m sweep`: methods × seeds of `l2m continual`, a table at the end; given again, it does what is left. */
export function addSweepCommand(program: Command, outcome: { exitCode: number }): void {
  const command = addContinualFlags(program.command('sweep'))
    .description('compare methods of continual learning over several seeds')
    .option('--sequence <list>', 'CW10, CW20, DMC6, CW10+DMC6, or tasks in their order', 'CW10')
    .option('--methods <list>', 'see `l2m continual --help`', methodList, methodList('l2m-lora,fitted-keys,full'))
    .option('--seeds <list>', 'seeds, separated by commas', numberList(0, 0xffffffff), [42])
    .option('--forward-transfer', 'also learn each task alone, which forward transfer is measured against');
  addConfigOptions(command, CONTINUAL_CONFIG).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m sweep --methods l2m-lora,fitted-keys,full --seeds 42,43,44\n' +
      '  $ npx l2m sweep --sequence hammer,push-wall --methods ewc,replay --forward-transfer\n' +
      '\nCtrl-C saves; the same command goes on, and does not repeat what is finished.\n',
  );
  command.action(async (flags: SweepFlags) => {
    outcome.exitCode = await run(flags);
  });
}

function methodList(text: string): MethodName[] {
  return [...new Set(text.split(',').map(methodNamed))];
}

async function run(flags: SweepFlags): Promise<number> {
  const { methods, seeds } = flags;
  const config = configOf(flags);
  const sequence = sequenceOf(flags.sequence);
  const settingsOf = await settingsMaker(flags, 'continual');
  const name = flags.name ?? `sweep-${flags.sequence.toLowerCase().replace(/[^a-z0-9_-]+/g, '-')}`;
  return withContinualSession(config, flags.serve === true, async ({ server, progress, signal, hooks }) => {
    const trajectories = trajectoriesOf(flags, config);
    const wanted = methods.flatMap((method) => tasksToRead(settingsOf(method, 0, sequence)));
    if (flags.collect !== undefined) {
      await collectMissing(server, [...new Set(wanted)], {
        ...{ trajectories, source: flags.source ?? 'expert', episodes: flags.collect, signal },
        progress: (finished, planned) => progress.update(`collecting: ${finished}/${planned} episodes`),
      });
    }
    let current: Pick<ContinualSettings, 'sequence' | 'stepsPerTask'> | undefined;
    const rows = await runSweep(
      server,
      {
        ...{ ...placesOf(flags, config), name, root: join(config.data, 'continual'), methods, seeds, sequence },
        ...{ settingsOf, alone: flags.forwardTransfer === true },
      },
      {
        ...hooks(() => current),
        begins: (run, place, count) => {
          const { stepsPerTask } = settingsOf(methods[0] ?? 'full', 0, sequence);
          current = { sequence: run.includes('-alone-') ? sequence.slice(0, 1) : sequence, stepsPerTask };
          progress.note(`${run} (${place} of ${count})`);
        },
      },
    );
    progress.end();
    process.stdout.write(`${sweepTable(rows, methods)}\n`);
    process.stdout.write('means over seeds with 95 % bootstrap intervals; success at any time unless said otherwise\n');
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
    return rows.length === methods.length * seeds.length ? 0 : 130;
  });
}
