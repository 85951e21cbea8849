import { Command, CommanderError } from 'commander';
import { addAdaptCommand } from './cli/adapt-command.ts';
import { addCollectCommand } from './cli/collect-command.ts';
import { addDataCommand } from './cli/data-command.ts';
import { addContinualCommand, addFinetuneCommand } from './cli/continual-command.ts';
import { addDoctorCommand } from './cli/doctor-command.ts';
import { addEvaluateCommand } from './cli/evaluate-command.ts';
import { addImportCommand } from './cli/import-command.ts';
import { addKeysCommand } from './cli/keys-command.ts';
import { addExpertsCommand } from './cli/experts-command.ts';
import { addPoolCommand } from './cli/pool-command.ts';
import { addPretrainCommand } from './cli/pretrain-command.ts';
import { addReplayCommand } from './cli/replay-command.ts';
import { addRunsCommand } from './cli/runs-command.ts';
import { addStartCommand } from './cli/start-command.ts';
import { addSweepCommand } from './cli/sweep-command.ts';
import { addTasksCommand } from './cli/tasks-command.ts';
import { addTrainExpertCommand } from './cli/train-expert-command.ts';
import { packageVersion } from './cli/package-version.ts';
import { errorFromUnknown } from './errors.ts';

/** A reader that has seen enough (`l2m runs | head`) is no failure. Work that goes on keeps its log file. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** The `l2m` command. Returns the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<number> {
  outliveReaders();
  const outcome = { exitCode: 0 };
  const program = new Command('l2m')
    .description('A live agent server for pre-trained robot policies with a learnable modulation pool.')
    .version(packageVersion())
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureHelp({ sortOptions: true })
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  $ npx l2m start                                  evaluate the shipped model, page at http://127.0.0.1:8650\n' +
        '  $ npx l2m evaluate --tasks MT10 --episodes 10    score it and stop\n' +
        '  $ npx l2m doctor                                 what was found, and how to fix what is missing\n',
    );
  addStartCommand(program, outcome);
  addEvaluateCommand(program, outcome);
  addCollectCommand(program, outcome);
  addTrainExpertCommand(program, outcome);
  addExpertsCommand(program);
  addPretrainCommand(program, outcome);
  addFinetuneCommand(program, outcome);
  addContinualCommand(program, outcome);
  addSweepCommand(program, outcome);
  addAdaptCommand(program, outcome);
  addPoolCommand(program);
  addImportCommand(program);
  addDataCommand(program, outcome);
  addTasksCommand(program);
  addRunsCommand(program);
  addReplayCommand(program, outcome);
  addKeysCommand(program);
  addDoctorCommand(program, outcome);
  try {
    await program.parseAsync([...argv]);
    return outcome.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error = errorFromUnknown(thrown);
    process.stderr.write(`${error.code}: ${error.message}\n${error.hint}\n`);
    if (error.code === 'L2M_INTERNAL') process.stderr.write(`${String((error.cause as Error).stack ?? error.cause)}\n`);
    return error.severity === 'refused' ? 2 : 1;
  }
}
