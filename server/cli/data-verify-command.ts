import type { Command } from 'commander';
import { verifyDataSet, type DataVerdict } from '../data/verify-data-set.ts';
import { addDataOptions, chosenDataSets, type DataOptions } from './data-options.ts';
import { ProgressLine } from './progress-line.ts';

interface VerifyOptions extends DataOptions {
  readonly json?: true;
}

/** `l2m data verify`: exit code 1 if anything is broken. */
export function addDataVerifyCommand(parent: Command, outcome: { exitCode: number }): void {
  const command = parent
    .command('verify')
    .description('read every byte: hashes, shapes, finite numbers')
    .option('--json', 'print JSON');
  addDataOptions(command);
  command.action(async (options: VerifyOptions) => {
    const progress = new ProgressLine();
    const verdicts: DataVerdict[] = [];
    for (const place of await chosenDataSets(options)) {
      progress.update(`${place.task} of ${place.source}`);
      verdicts.push(await verifyDataSet(place));
    }
    progress.end();
    if (verdicts.some(({ problems }) => problems.length > 0)) outcome.exitCode = 1;
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify(verdicts, null, 2)}\n`
        : verdicts.map(verdictText).join('') + totalText(verdicts),
    );
  });
}

function verdictText({ task, source, episodes, sha256, problems, remarks }: DataVerdict): string {
  const state = problems.length === 0 ? 'sound ' : 'BROKEN';
  const lines = [
    `${state} ${task} of ${source}: ${episodes} episodes, sha256 ${sha256?.slice(0, 16) ?? 'not yet'}`,
    ...problems.map((problem) => `       ${problem}`),
    ...remarks.map((remark) => `       (${remark})`),
  ];
  return `${lines.join('\n')}\n`;
}

function totalText(verdicts: readonly DataVerdict[]): string {
  const broken = verdicts.filter(({ problems }) => problems.length > 0).length;
  return broken === 0
    ? `${verdicts.length} data sets, all sound\n`
    : `${broken} of ${verdicts.length} data sets broken: remove the files named above and collect them again\n`;
}
