import { writeFile } from 'node:fs/promises';
import type { RunSummary } from '../../protocol/dashboard-views.ts';
import type { TaskId } from '../../protocol/task.ts';
import { buildServer, type LiveServer } from '../build-server.ts';
import type { ServerConfig } from '../config-schema.ts';
import type { RunHandle, TrajectoryTaker } from '../rollouts/run-service.ts';
import type { RunRequest } from '../rollouts/run-request.ts';
import { ProgressLine, durationText } from './progress-line.ts';
import { scoreTable } from './score-table.ts';

export interface JobOptions {
  readonly config: ServerConfig;
  readonly request: (server: LiveServer) => RunRequest | Promise<RunRequest>;
  readonly resume: string | undefined;
  readonly take?: (server: LiveServer) => TrajectoryTaker;
  /** Episodes that need not be run, because their trajectories are kept already. */
  readonly skip?: (task: TaskId, start: number) => boolean;
  /** Whether to serve the page and the HTTP API. */
  readonly serve: boolean;
  /** Whether to go on serving after the table, until Ctrl-C. */
  readonly keepServing: boolean;
  readonly json: string | undefined;
  readonly parquet: string | undefined;
  /** Called when the run is over and before the server stops. */
  readonly finish?: (server: LiveServer, summary: RunSummary) => Promise<void>;
}

const DRAIN_DEADLINE_MS = 30_000;
const PROGRESS_EVERY_MS = 250;

/**
 * Runs one job with its own server in this process: progress on stderr, the table on stdout.
 * The first Ctrl-C finishes the episodes under way, the second stops at once; both leave everything finished in the store.
 * @returns 0 if the run finished, 1 if it failed, 130 if it was interrupted before its end
 */
export async function runJob(options: JobOptions): Promise<number> {
  const progress = new ProgressLine();
  const server = await buildServer(options.config, { serve: options.serve, note: (text) => progress.note(text) });
  const interrupt = watchInterrupts(server, progress);
  try {
    if (server.url !== undefined) progress.note(`page and API at ${server.url}`);
    const handle = await server.runs.start(await options.request(server), {
      ...(options.resume === undefined ? {} : { resume: options.resume }),
      ...(options.take === undefined ? {} : { take: options.take(server) }),
      ...(options.skip === undefined ? {} : { skip: options.skip }),
    });
    progress.note(`run ${handle.run}`);
    const summary = await follow(handle, progress);
    await options.finish?.(server, summary);
    await report(server, summary, options);
    if (options.keepServing && !interrupt.interrupted) {
      progress.note(`serving at ${server.url ?? 'no address'} until Ctrl-C`);
      await interrupt.requested;
    }
    return exitCodeOf(summary, interrupt.interrupted);
  } finally {
    interrupt.forget();
    await server.close();
  }
}

async function follow(handle: RunHandle, progress: ProgressLine): Promise<RunSummary> {
  const timer = setInterval(() => progress.update(progressText(handle.summary())), PROGRESS_EVERY_MS);
  try {
    return await handle.over;
  } finally {
    clearInterval(timer);
    progress.update(progressText(handle.summary()));
    progress.end();
  }
}

/** `evaluate: 37/110 episodes, 1412 steps/s, 45 s left, 1 redone` */
export function progressText(summary: RunSummary): string {
  const ended = summary.finishedEpisodes + summary.errorEpisodes;
  const parts = [
    `${summary.kind}: ${ended}/${summary.plannedEpisodes} episodes`,
    `${summary.stepsPerSecond.toFixed(0)} steps/s`,
    summary.secondsLeft === null ? 'time left unknown' : `${durationText(summary.secondsLeft)} left`,
  ];
  if (summary.state !== 'running' && summary.state !== 'finished') parts.push(summary.state);
  if (summary.errorEpisodes > 0) parts.push(`${summary.errorEpisodes} errors`);
  if (summary.redoneEpisodes > 0) parts.push(`${summary.redoneEpisodes} redone`);
  return parts.join(', ');
}

async function report(server: LiveServer, summary: RunSummary, options: JobOptions): Promise<void> {
  process.stdout.write(scoreTable(summary));
  if (summary.message !== '') process.stdout.write(`${summary.state}: ${summary.message}\n`);
  if (summary.state === 'stopped') {
    process.stdout.write(`${resumeHint(summary)}\n`);
  }
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(summary, null, 2)}\n`);
  if (options.parquet !== undefined) await server.store.exportRun(summary.run, options.parquet, 'parquet');
}

function exitCodeOf(summary: RunSummary, interrupted: boolean): number {
  if (summary.state === 'finished') return 0;
  return interrupted ? 130 : 1;
}

function watchInterrupts(server: LiveServer, progress: ProgressLine) {
  let resolveRequested: () => void = () => undefined;
  const requested = new Promise<void>((resolve) => (resolveRequested = resolve));
  const state = { interrupted: false };
  const onSignal = () => {
    if (state.interrupted) {
      progress.note('stopping at once');
      for (const { run, state: runState } of server.runs.summaries()) {
        if (runState === 'draining' || runState === 'running' || runState === 'paused') server.runs.stop(run);
      }
      return;
    }
    state.interrupted = true;
    resolveRequested();
    progress.note('finishing the episodes under way; Ctrl-C again stops at once');
    void server.runs.drain(DRAIN_DEADLINE_MS);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    get interrupted() {
      return state.interrupted;
    },
    requested,
    forget: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

function resumeHint({ kind, run }: RunSummary): string {
  return kind === 'collect'
    ? 'give the same command again to go on: what is collected is kept'
    : `resume with: npx l2m ${kind} --resume ${run}`;
}
