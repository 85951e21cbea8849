import type { Command } from 'commander';
import { formatDoctorReport, runDoctor } from '../doctor/doctor.ts';
import { hostThreads } from '../inference/host-threads.ts';
import { addConfigOptions, configOf } from './config-options.ts';

/** `l2m doctor`: what was found, and how to fix what is missing. */
export function addDoctorCommand(program: Command, outcome: { exitCode: number }): void {
  const command = program
    .command('doctor')
    .description('say what was found on this machine and how to fix what is missing');
  addConfigOptions(command, ['data', 'backend', 'workers', 'threads', 'precision']).addHelpText(
    'after',
    '\nExamples:\n  $ npx l2m doctor\n  $ npx l2m doctor --backend wasm\n\nExit code 1 when something needed is missing.\n',
  );
  command.action(async (options: Record<string, unknown>) => {
    const config = configOf(options);
    const report = await runDoctor({
      dataDirectory: config.data,
      workers: config.workers,
      threads: hostThreads(config),
      backend: config.backend,
      precision: config.precision,
    });
    process.stdout.write(`${formatDoctorReport(report)}\n`);
    outcome.exitCode = report.exitCode;
  });
}
