import type { Command } from 'commander';
import { exportData, type ForeignFormat } from '../data/export-data.ts';
import { addDataOptions, chosenDataSets, type DataOptions } from './data-options.ts';
import { oneOf } from './option-values.ts';

interface ExportCommandOptions extends DataOptions {
  readonly format: ForeignFormat;
  readonly to: string;
  readonly overwrite?: true;
}

/** `l2m data export`: for Minari or LeRobot. */
export function addDataExportCommand(parent: Command): void {
  const command = parent
    .command('export')
    .description('write data sets in the layout of Minari or of LeRobot 3.0')
    .requiredOption('--format <name>', 'minari or lerobot', oneOf<ForeignFormat>(['minari', 'lerobot']))
    .requiredOption('--to <folder>', 'folder that gets one folder a data set')
    .option('--overwrite', 'replace what is there');
  addDataOptions(command).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m data export --format minari --to ~/.minari/datasets --tasks reach-v3\n' +
      '      then: minari.load_dataset("metaworld/reach-v3/expert-v0")\n' +
      '  $ npx l2m data export --format lerobot --to exported --source expert\n' +
      '      then: LeRobotDataset("l2m/metaworld-expert", root="exported/metaworld-expert")\n',
  );
  command.action(async (options: ExportCommandOptions) => {
    await exportData(options.format, await chosenDataSets(options), {
      ...{ to: options.to, overwrite: options.overwrite === true },
      onExported: ({ path, episodes, transitions }) =>
        process.stdout.write(`${path}: ${episodes} episodes, ${transitions} transitions\n`),
    });
  });
}
