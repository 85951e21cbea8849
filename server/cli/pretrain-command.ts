import type { Command } from 'commander';
import { join } from 'node:path';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import { buildServer } from '../build-server.ts';
import { errorFromUnknown } from '../errors.ts';
import { pretrain } from '../learning/pretrain.ts';
import type { PretrainEvent, PretrainResult } from '../learning/pretrain-events.ts';
import { evaluatedPretraining } from '../pretraining/evaluated-pretraining.ts';
import type { EvaluationRow } from '../pretraining/evaluation-history.ts';
import { EVALUATION_SEED } from '../rollouts/evaluation-seed.ts';
import { configOf } from './config-options.ts';
import { addPretrainFlags, pretrainOptions, type PretrainFlags } from './pretrain-flags.ts';
import { progressText } from './pretraining-text.ts';
import { ProgressLine } from './progress-line.ts';
import { quickPretraining } from './quick-pretraining.ts';
import { saveOnSignal } from './save-on-signal.ts';

/** `l2m pretrain`: the decision transformer from collected trajectories, in a process of its own, resumable. */
export function addPretrainCommand(program: Command, outcome: { exitCode: number }): void {
  const command = addPretrainFlags(
    program.command('pretrain').description('pre-train the decision transformer on collected trajectories'),
  );
  command.addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m collect --tasks MT10 --episodes 200\n' +
      '  $ npx l2m pretrain --tasks MT10 --name mt10 --minutes 40\n' +
      '  $ npx l2m evaluate --tasks MT10 --checkpoint data/checkpoints/mt10\n' +
      '  $ npx l2m pretrain --from data/checkpoints/mt10 --trainable pool --tasks hammer-v3 --name hammer\n' +
      '  $ npx l2m pretrain --tasks MT40 --name mt40 --preset small --minutes 600 --evaluate-every 2000 --patience 5\n' +
      '  $ npx l2m pretrain --quick\n' +
      '\nCtrl-C saves; --resume goes on from there. Evaluations run beside the training; the best weights are kept in <name>-best.\n',
  );
  command.action(async (options: PretrainFlags) => {
    outcome.exitCode =
      options.quick === true
        ? await quickPretraining(configOf(options), { serve: options.serve === true, json: options.json })
        : await run(options);
  });
}

async function run(options: PretrainFlags): Promise<number> {
  const progress = new ProgressLine();
  const stop = saveOnSignal(progress);
  try {
    const hooks = { onEvent: (event: PretrainEvent) => show(progress, event), signal: stop.signal };
    const result =
      options.evaluateEvery === undefined
        ? await pretrain(await pretrainOptions(options), hooks)
        : await pretrainAndEvaluate(options, { progress, hooks });
    progress.end();
    const held = result.heldOutLoss === null ? '' : `, ${result.heldOutLoss.toFixed(4)} on held-out episodes`;
    process.stdout.write(
      `${result.outcome} after ${result.update} updates, loss ${result.loss.toFixed(4)}${held}\n${result.checkpoint}\n`,
    );
    return result.outcome === 'finished' ? 0 : 130;
  } finally {
    progress.end();
    stop.release();
  }
}

interface EvaluatedParts {
  readonly progress: ProgressLine;
  readonly hooks: { onEvent(event: PretrainEvent): void; readonly signal: AbortSignal };
}

/** The same with a server of its own, whose simulators evaluate meanwhile. */
async function pretrainAndEvaluate(
  options: PretrainFlags,
  { progress, hooks }: EvaluatedParts,
): Promise<PretrainResult> {
  const pretraining = await pretrainOptions(options);
  const config = configOf(options);
  const server = await buildServer(config, { serve: options.serve === true, note: (text) => progress.note(text) });
  try {
    if (server.url !== undefined) progress.note(`page and API at ${server.url}`);
    const bestFolder = join(config.data, 'checkpoints', `${options.name}-best`);
    const result = await evaluatedPretraining(server, pretraining, {
      evaluation: {
        everyUpdates: options.evaluateEvery ?? 1,
        tasks: expandTasks((options.evaluateTasks ?? options.tasks).split(',')),
        ...{ episodes: options.evaluateEpisodes, protocol: options.evaluateProtocol, seed: EVALUATION_SEED },
        ...{ patience: options.patience, bestFolder },
      },
      hooks: {
        ...hooks,
        onEvaluation: (row, isBest) => progress.note(evaluationText(row, isBest)),
        onEvaluationFailed: (update, cause) =>
          progress.note(`no evaluation after ${update} updates: ${errorFromUnknown(cause).message}`),
      },
    });
    progress.end();
    if (result.ranOutOfPatience) process.stdout.write('stopped early: nothing became better\n');
    if (result.best !== undefined) {
      const { update, score } = result.best;
      process.stdout.write(`best score ${score.toFixed(3)} after ${update} updates: ${bestFolder}\n`);
    }
    return result;
  } finally {
    await server.close();
  }
}

function evaluationText({ update, score, successAnyTime, successAtEnd }: EvaluationRow, isBest: boolean): string {
  const percent = (share: number | null) => (share === null ? '–' : `${(100 * share).toFixed(0)} %`);
  const success = `success ${percent(successAnyTime)} at any time, ${percent(successAtEnd)} at the last step`;
  return `after ${update} updates: score ${score.toFixed(3)}, ${success}${isBest ? '; the best so far' : ''}`;
}

function show(progress: ProgressLine, event: PretrainEvent): void {
  switch (event.type) {
    case 'preparing':
      progress.note(event.what);
      return;
    case 'started':
      progress.note(
        `${event.parameterCount} parameters, ${event.episodes} episodes, ${event.transitions} transitions; ${event.backend}` +
          (event.update > 0 ? `; going on after ${event.update} updates` : ''),
      );
      return;
    case 'progress':
      progress.update(progressText(event));
      return;
    case 'saved':
      progress.note(`saved after ${event.update} updates`);
      return;
    case 'snapshot':
      return;
  }
}
