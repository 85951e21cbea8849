import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RECORDING_ENDING } from '../../protocol/recording.ts';
import { L2mError } from '../errors.ts';
import { loadRecording } from '../recordings/load-recording.ts';
import { readRecording } from '../recordings/recording-library.ts';
import { resimulate, type Replay } from '../recordings/resimulate.ts';
import { addConfigOptions, configOf } from './config-options.ts';

interface ReplayOptions extends Record<string, unknown> {
  readonly json?: true;
}

/** `l2m replay`: does a recorded episode come out the same when it is simulated again? */
export function addReplayCommand(program: Command, outcome: { exitCode: number }): void {
  const command = program
    .command('replay')
    .description('simulate a recorded episode again and compare it bit for bit')
    .argument('<recording>', 'RUN/EPISODE as the page and the HTTP API list them, or a file')
    .option('--json', 'print JSON');
  addConfigOptions(command, ['data', 'startDeadlineMs', 'stepDeadlineMs']).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m replay evaluate-20261123-192057-9tdk/metaworld.reach-v3.0.1\n' +
      `  $ npx l2m replay metaworld.reach-v3.0.1${RECORDING_ENDING}\n` +
      '\nExit codes: 0 equal, 1 different or not playable, 2 wrong usage.\n',
  );
  command.action(async (name: string, options: ReplayOptions) => {
    const config = configOf(options);
    const bytes = await recordingBytesOf(name, join(config.data, 'recordings'));
    const recording = await loadRecording(bytes);
    const replay = await resimulate(recording, config);
    outcome.exitCode = replay.kind === 'equal' ? 0 : 1;
    const { task, start } = recording.header;
    process.stdout.write(
      options.json === true ? `${JSON.stringify(replay)}\n` : `${task}, start ${start}: ${replayText(replay)}\n`,
    );
  });
}

/** One line for a person. */
export function replayText(replay: Replay): string {
  if (replay.kind === 'equal') {
    const pictures = replay.pictures > 0 ? ` and ${replay.pictures} pictures of poses` : '; no poses were recorded';
    return `equal in all ${replay.steps} steps${pictures}`;
  }
  const { step, value, recorded, replayed } = replay;
  if (value === 'observation') return `different from step ${step} on: the observation has another checksum`;
  return `different from step ${step} on: ${value} was ${recorded}, is ${replayed} (by ${replayed - recorded})`;
}

/** @throws L2M_RECORDING_UNKNOWN */
async function recordingBytesOf(name: string, directory: string): Promise<Uint8Array> {
  if (name.endsWith(RECORDING_ENDING)) {
    return readFile(name).catch((cause: unknown) => {
      throw new L2mError('L2M_RECORDING_UNKNOWN', name, { cause });
    });
  }
  const [run = '', episode = ''] = name.split('/', 2);
  return readRecording(directory, run, episode);
}
