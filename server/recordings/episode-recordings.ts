import { recordingId } from '../../protocol/recording.ts';
import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import { errorFromUnknown } from '../errors.ts';
import type { EpisodeReport } from '../rollouts/active-run.ts';
import type { RunningView } from '../rollouts/step-observer.ts';
import type { EpisodePlan } from '../rollouts/plan.ts';
import type { HandledStep } from '../rollouts/step-gate.ts';
import type { ScenePart } from '../live/scenes.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import { scoredEpisodeOf, type EpisodeRecord } from '../store/records.ts';
import { EpisodeTape } from './episode-tape.ts';
import { recordingBytes, type RecordingFacts } from './recording-file.ts';
import type { RecordingLibrary } from './recording-library.ts';

export type RecordMode = 'all' | 'sampled' | 'none';

export interface EpisodeRecordingsOptions {
  readonly mode: RecordMode;
  readonly library: RecordingLibrary;
  readonly specOf: (task: TaskId) => TaskSpec;
  /** Content address of a task's geometry, if it is known by now. */
  readonly sceneOf: (task: TaskId) => string;
  readonly policyOf: (run: string) => string;
  /** Runs in progress: their recordings are never pruned. */
  readonly liveRuns: () => ReadonlySet<string>;
  readonly notice: (level: 'info' | 'warning', text: string) => void;
}

/** In `sampled`, poses are asked for every 25th start state: two of the fifty official ones, and a 25th of what `all` costs. */
const SAMPLED_EVERY = 25;
/** Episodes that wait for the disk hold at most so many bytes of poses; what comes on top is not recorded. */
const MOST_WAITING_BYTES = 256 * 1024 * 1024;

/** Records every finished episode into the library. A failure here ends recording, never a run. */
export class EpisodeRecordings {
  readonly #options: EpisodeRecordingsOptions;
  readonly #tapes = new Map<number, { readonly run: string; readonly tape: EpisodeTape }>();
  readonly #runs = new Set<string>();
  #writing: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #stopped = false;

  constructor(options: EpisodeRecordingsOptions) {
    this.#options = options;
  }

  wantsPoses(plan: EpisodePlan): boolean {
    if (this.#stopped || this.#options.mode === 'none') return false;
    return this.#options.mode === 'all' || plan.start % SAMPLED_EVERY === 0;
  }

  started({ run, episode, plan }: RunningView): void {
    if (this.#options.mode === 'none') return;
    if (!this.#runs.has(run)) {
      // Room may have been made since: a new run is a new try.
      this.#runs.add(run);
      this.#stopped = false;
    }
    if (this.#stopped) return;
    const { actionSize, observation } = this.#options.specOf(plan.task);
    const observationSize = observation.reduce((sum, part) => sum + part.size, 0);
    const tape = new EpisodeTape({ horizon: plan.horizon, actionSize, observationSize });
    this.#tapes.set(episode, { run, tape });
  }

  stepped({ episode }: RunningView, row: TickRow): void {
    this.#tapes.get(episode)?.tape.row(row);
  }

  handled({ episode }: RunningView, step: number, { pull }: HandledStep): void {
    if (pull !== undefined) this.#tapes.get(episode)?.tape.pulled(step, pull);
  }

  /** An episode is drawn with geometry of its own. */
  drawn(episode: number, scene: ScenePart): void {
    const of = this.#tapes.get(episode);
    if (of === undefined) return;
    const { hash, manifest, assets } = scene;
    // The caller's bytes belong to a message.
    of.tape.scene = { hash, manifest: new Uint8Array(manifest), assets: new Uint8Array(assets) };
  }

  /** The engine lets go of an episode, whatever became of it. */
  ended({ episode }: RunningView): void {
    if (this.#tapes.get(episode)?.tape.whole === false) this.#tapes.delete(episode);
  }

  /** An episode is durable in the store. */
  finished(report: EpisodeReport, record: EpisodeRecord): void {
    const tape = this.#tapes.get(report.episode)?.tape;
    this.#tapes.delete(report.episode);
    const { end } = report;
    if (tape === undefined || this.#stopped || end.kind !== 'finished' || record.outcome === 'error') return;
    if (this.#waitingBytes > MOST_WAITING_BYTES) {
      this.#stop('the disk is slower than the simulators');
      return;
    }
    const facts = this.#factsOf(report, record, tape);
    const { selections, similarities } = end.outcome;
    const bytes = tape.poseBytes;
    this.#waitingBytes += bytes;
    this.#writing = this.#writing
      .then(async () => {
        if (this.#stopped) return;
        const sections = { ...tape.sections(), selections, similarities };
        await this.#write(facts, await recordingBytes(facts, sections));
      })
      .catch((thrown: unknown) => this.#stop(errorFromUnknown(thrown).message))
      .finally(() => (this.#waitingBytes -= bytes));
  }

  /** Nothing of a run that is over is waited for any more. */
  runOver(run: string): void {
    this.#runs.delete(run);
    for (const [episode, of] of this.#tapes) {
      if (of.run === run) this.#tapes.delete(episode);
    }
  }

  /** Resolves when everything finished so far is on disk. */
  flush(): Promise<void> {
    return this.#writing;
  }

  async #write(facts: RecordingFacts, bytes: Uint8Array): Promise<void> {
    const { library, liveRuns } = this.#options;
    const live = new Set([...liveRuns(), facts.run]);
    if (await library.add({ run: facts.run, episode: facts.episode, bytes }, live)) return;
    this.#stop('all recordings together have reached --record-limit-mb, and older runs have none left to remove');
  }

  #stop(reason: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#tapes.clear();
    this.#options.notice('warning', `Recording stopped until the next run begins: ${reason}. The run goes on.`);
  }

  #factsOf({ plan }: EpisodeReport, record: EpisodeRecord, tape: EpisodeTape): RecordingFacts {
    const { specOf, sceneOf, policyOf } = this.#options;
    const spec = specOf(plan.task);
    const { run, task, start, attempt, length, outcome } = record;
    const poseRows = tape.poseRows;
    return {
      ...{ run, episode: recordingId(record), task, start, attempt },
      ...{ seed: plan.seed, protocol: plan.protocol, horizon: plan.horizon, actor: plan.actor },
      policy: policyOf(run),
      controlTimestep: spec.controlTimestep,
      observationSize: spec.observation.reduce((sum, part) => sum + part.size, 0),
      actionSize: spec.actionSize,
      ...{ length, return: record.return },
      outcome: outcome === 'error' ? 'failure' : outcome,
      firstSuccessStep: scoredEpisodeOf(record).firstSuccessStep,
      ...((record.assistedSteps ?? 0) > 0 ? { assistedSteps: record.assistedSteps } : {}),
      scene: tape.scene?.hash ?? sceneOf(task),
      pictures: poseRows === 0 ? 0 : tape.poseBytes / (poseRows * 28),
      poseRows,
      finishedAt: record.finishedAt.toISOString(),
    };
  }
}
