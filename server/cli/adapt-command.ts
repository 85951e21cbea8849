import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { taskName } from '../../protocol/task.ts';
import type { AdaptationOptions } from '../adaptation/adaptation-events.ts';
import { runAdaptation } from '../adaptation/run-adaptation.ts';
import type { ServerConfig } from '../config-schema.ts';
import { currentProvenance } from '../provenance.ts';
import { addAdaptFlags, adaptedTask, adaptSettings, checkpointOf, type AdaptFlags } from './adapt-flags.ts';
import { adaptTable } from './adapt-table.ts';
import { backendOptionsOf } from './backend-options.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { CONTINUAL_CONFIG } from './continual-flags.ts';
import { withContinualSession } from './continual-session.ts';

const SETTINGS = [...CONTINUAL_CONFIG, 'record'] as const;

/** `l2m adapt`: the pool learns one task from what the policy itself does on it. */
export function addAdaptCommand(program: Command, outcome: { exitCode: number }): void {
  const command = addAdaptFlags(program.command('adapt')).description(
    'learn one task while acting: keep what succeeded, learn from it, promote what is not worse',
  );
  addConfigOptions(command, SETTINGS).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m adapt --task pick-place-v3 --rounds 6 --serve\n' +
      '  $ npx l2m adapt --task reach-v3 --success at-end --noise 0,0.1\n' +
      '  $ npx l2m adapt --task hammer-v3 --demonstrations 20    where exploring alone finds no success\n' +
      '  $ npx l2m adapt --task pick-place-v3 --resume --rounds 12\n' +
      '\nEvery round acts on new starts, learns, and compares what it has learned with what acts by pairs of held-back starts:\n' +
      'a version that is worse is rolled back. Ctrl-C saves; --resume goes on from there.\n',
  );
  command.action(async (flags: AdaptFlags) => {
    outcome.exitCode = await run(flags);
  });
}

async function run(flags: AdaptFlags): Promise<number> {
  const config = configOf(flags);
  const options = await optionsOf(flags, config);
  return withContinualSession(config, flags.serve === true, async ({ server, progress, signal }) => {
    const result = await runAdaptation(server, options, {
      signal,
      note: (text) => progress.note(text),
      progress: (text) => progress.update(text),
    });
    progress.end();
    process.stdout.write(`${adaptTable(result)}\n${result.checkpoint}\n`);
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(result, null, 2)}\n`);
    if (result.outcome === 'finished') return 0;
    process.stdout.write('go on with the same command and --resume\n');
    return 130;
  });
}

async function optionsOf(flags: AdaptFlags, config: ServerConfig): Promise<AdaptationOptions> {
  const resume = flags.resume === true;
  const name = flags.name ?? `${taskName(adaptedTask(flags))}-${flags.seed}`;
  const { gitCommit } = currentProvenance({}, undefined);
  return {
    ...{ folder: join(config.data, 'adaptations', name), resume, overwrite: flags.overwrite === true },
    settings: resume ? undefined : await adaptSettings(flags),
    ...{ rounds: flags.rounds, checkpoint: checkpointOf(flags), backend: backendOptionsOf(config) },
    command: `npx l2m ${process.argv.slice(2).join(' ')}`,
    commit: gitCommit ?? 'unknown',
  };
}
