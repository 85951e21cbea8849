import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MODEL_PRESETS, PAPER_MODULATION } from '../../agent/config.ts';
import type { RunSummary } from '../../protocol/dashboard-views.ts';
import type { TaskId } from '../../protocol/task.ts';
import type { ServerConfig } from '../config-schema.ts';
import { collectMissing } from '../continual/collect-missing.ts';
import { EXPERT_DEFAULTS, type ExpertOptions } from '../experts/expert-options.ts';
import type { ExpertResult } from '../experts/expert-events.ts';
import { TRAINED_SOURCE, expertFolder } from '../experts/find-expert.ts';
import { trainExpert } from '../experts/train-expert.ts';
import { pretrain } from '../learning/pretrain.ts';
import type { PretrainOptions } from '../learning/pretrain-options.ts';
import { PRETRAIN_PRESETS } from '../learning/pretrain-presets.ts';
import { findTrajectoryFiles } from '../learning/training-data.ts';
import { scoreOf } from '../pretraining/score-of.ts';
import { currentProvenance } from '../provenance.ts';
import type { PolicyChoice } from '../rollouts/run-request.ts';
import { backendOptionsOf } from './backend-options.ts';
import { withContinualSession, type ContinualSession } from './continual-session.ts';
import { durationText } from './progress-line.ts';
import { progressText as pretrainingText } from './pretraining-text.ts';
import { scoreTable } from './score-table.ts';
import { progressText as expertText } from './train-expert-command.ts';
import { EVALUATION_SEED } from '../rollouts/evaluation-seed.ts';

/** Easy ones of both suites: what a small model learns in a minute. */
const SCRIPTED: readonly TaskId[] = ['drawer-open', 'window-close'].map((name) => `metaworld/${name}-v3`);
const TRAINED: TaskId = 'dmcontrol/cartpole-balance';
/** Data of its own, so that it is the same everywhere. */
const SOURCE = 'quick';
const EPISODES = { scripted: 60, trained: 12, evaluated: 5 };
/** A quarter of `tiny`: in the few minutes there are, many updates of a small model teach more than few of a larger one. */
const MODEL = { ...MODEL_PRESETS.tiny, width: 64, blocks: 2, heads: 2 };
/** As many as step together while the expert learns: a worker waits for half of its environments before it steps. */
const ENVIRONMENTS = 8;

export interface QuickPretrainingResult {
  readonly expert: Pick<ExpertResult, 'steps' | 'updates' | 'evaluation'>;
  readonly loss: number;
  readonly model: RunSummary;
  readonly random: RunSummary;
  /** Means over the tasks: success at any time, normalised score where there is none. */
  readonly scores: { readonly model: number; readonly random: number };
}

/**
 * `l2m pretrain --quick`: the whole way in minutes. Collects scripted experts, trains one expert by reinforcement learning and
 * collects it too, learns one model from both suites, and compares it with chance on the same unseen starts.
 */
export function quickPretraining(
  given: ServerConfig,
  flags: { readonly serve: boolean; readonly json: string | undefined },
): Promise<number> {
  const config = { ...given, workers: Math.min(1, given.workers), environments: ENVIRONMENTS };
  return withContinualSession(config, flags.serve, async (session) => {
    const { server, progress, signal } = session;
    const collect = (tasks: readonly TaskId[], episodes: number) =>
      collectMissing(server, tasks, {
        ...{ trajectories: join(config.data, 'trajectories'), source: SOURCE, episodes, signal },
        progress: (finished, planned) => progress.update(`collecting: ${finished}/${planned} episodes`),
      });
    const stage = stageNotes((text) => progress.note(text));
    await collect(SCRIPTED, EPISODES.scripted);
    stage('scripted experts collected');
    const expert = await trainExpert(server, expertOptions(config), {
      note: (text) => progress.note(text),
      progress: (state) => progress.update(expertText(state)),
      signal,
    });
    if (expert.outcome === 'stopped') return 130;
    stage('expert trained');
    await collect([TRAINED], EPISODES.trained);
    stage('trained expert collected');
    const options = await pretrainOptions(config);
    const { outcome, loss } = await pretrain(options, {
      signal,
      onEvent: (event) => {
        if (event.type === 'progress') progress.update(pretrainingText(event));
      },
    });
    if (outcome !== 'finished') return 130;
    stage('model trained');
    const model = await evaluated(session, { kind: 'checkpoint', folder: options.checkpointFolder });
    const random = await evaluated(session, { kind: 'random' });
    stage('model and chance evaluated');
    progress.end();
    const scores = { model: scoreOf(model), random: scoreOf(random) };
    process.stdout.write(`the model\n${scoreTable(model)}\nchance\n${scoreTable(random)}\n`);
    process.stdout.write(`score ${scores.model.toFixed(2)}, by chance ${scores.random.toFixed(2)}\n`);
    const { steps, updates, evaluation } = expert;
    const result: QuickPretrainingResult = { expert: { steps, updates, evaluation }, loss, model, random, scores };
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(result, null, 2)}\n`);
    return model.state === 'finished' && random.state === 'finished' ? 0 : 130;
  });
}

/** Says how long each part of the way took. */
function stageNotes(note: (text: string) => void): (what: string) => void {
  let since = performance.now();
  return (what) => {
    const now = performance.now();
    note(`${what} in ${durationText((now - since) / 1000)}`);
    since = now;
  };
}

async function evaluated({ server, progress, signal }: ContinualSession, policy: PolicyChoice): Promise<RunSummary> {
  const handle = await server.runs.start({
    ...{ kind: 'evaluate', tasks: [...SCRIPTED, TRAINED], episodes: EPISODES.evaluated, protocol: 'l2m-paper', policy },
    ...{ seed: EVALUATION_SEED, firstStart: 0, horizon: null },
  });
  const stop = () => server.runs.stop(handle.run);
  signal.addEventListener('abort', stop);
  const timer = setInterval(() => {
    const { finishedEpisodes, plannedEpisodes } = handle.summary();
    progress.update(`evaluating: ${finishedEpisodes}/${plannedEpisodes} episodes`);
  }, 500);
  try {
    return await handle.over;
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
  }
}

function expertOptions(config: ServerConfig): ExpertOptions {
  return {
    ...EXPERT_DEFAULTS,
    ...{ task: TRAINED, hidden: [64, 64], batchSize: 64, actionRepeat: 4, learningRate: 1e-3 },
    ...{ lanes: ENVIRONMENTS, steps: 32_000, minutes: undefined, evaluateEvery: 32_000, evaluationEpisodes: 4 },
    ...{ saveEveryMinutes: 2, source: TRAINED_SOURCE, trajectoryFolder: join(config.data, 'trajectories') },
    ...{ folder: expertFolder(config.data, TRAINED, TRAINED_SOURCE), resume: false, overwrite: true },
    backend: backendOptionsOf({ ...config, precision: 'float32' }),
  };
}

async function pretrainOptions(config: ServerConfig): Promise<PretrainOptions> {
  const files = await findTrajectoryFiles(join(config.data, 'trajectories'), [...SCRIPTED, TRAINED], SOURCE);
  const { gitCommit } = currentProvenance({}, undefined);
  return {
    ...PRETRAIN_PRESETS.tiny,
    learningRate: 2e-3,
    ...{ files, model: MODEL, modulation: PAPER_MODULATION, batchSize: 64, warmUpUpdates: 50 },
    budget: { kind: 'updates', updates: 3000 },
    ...{ name: SOURCE, trainingFolder: join(config.data, 'training', SOURCE), resume: false, overwrite: true },
    ...{ checkpointFolder: join(config.data, 'checkpoints', SOURCE), storage: 'float16', saveEveryMinutes: 5 },
    ...{ backend: backendOptionsOf(config), reportEverySeconds: 2, command: 'npx l2m pretrain --quick' },
    commit: gitCommit ?? 'unknown',
  };
}
