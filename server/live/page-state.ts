import type { PageEvent, Snapshot } from '../../protocol/dashboard-messages.ts';
import type { EnvironmentView, LoadView, ModelView, RunSummary, WorkerView } from '../../protocol/dashboard-views.ts';
import { IDLE_LOAD } from '../../protocol/idle-load.ts';
import { WIRE_LIMITS } from '../../protocol/limits.ts';

/** Older runs than this many, or with more tasks than this in total, are left to the HTTP API: a snapshot is one message. */
const MOST_RUNS = 32;
const MOST_RUN_TASKS = 1500;
/** What a page that connects late is told of the past. */
const MOST_REMEMBERED = 60;
const MOST_WORKERS = 256;
const CONTACT_COLUMNS = 11;
/** Numbers of one environment. */
const MOST_CONTACTS = 256 * CONTACT_COLUMNS;
const NO_CONTACTS = new Float32Array(0);

/** What one environment-step brings to the page. */
export interface StepView {
  readonly episode: number;
  readonly step: number;
  readonly reward: number;
  /** Sum of rewards so far. */
  readonly return: number;
  /** `STEP_FLAGS`; `success` means at any time so far. */
  readonly flags: number;
  /** Selected modulator, -1 where there is none. */
  readonly selection: number;
  readonly similarity: number;
}

/** One environment as it stands now. Written in place: at thousands of steps a second nothing is allocated. */
export interface LiveEnvironment {
  view: EnvironmentView;
  episode: number;
  step: number;
  reward: number;
  return: number;
  flags: number;
  selection: number;
  similarity: number;
  /** [bodies, 7] flattened; empty until poses came for this episode. */
  poses: Float32Array;
  poseCount: number;
  /** [n, 11] flattened; empty while nobody asks for them. */
  contacts: Float32Array;
}

export type LogEvent = Extract<PageEvent, { type: 'notice' | 'episode-ended' }>;

/** The present state that every page sees. No sockets and no clock; its size is bounded whatever it is fed. */
export class PageState {
  readonly environments = new Map<string, LiveEnvironment>();
  model: ModelView | null = null;
  workers: readonly WorkerView[] = [];
  /** Rises whenever a new `frames` message would differ from the one before. */
  version = 0;
  readonly #runs = new Map<string, RunSummary>();
  readonly #log: LogEvent[] = [];
  readonly #scenes = new Map<string, string>();
  #load: LoadView = IDLE_LOAD;

  get load(): LoadView {
    return this.#load;
  }

  get log(): readonly LogEvent[] {
    return this.#log;
  }

  run(run: string): RunSummary | undefined {
    return this.#runs.get(run);
  }

  runUpdated(summary: RunSummary): void {
    this.#runs.set(summary.run, summary);
    while (this.#runs.size > 1 && this.#runsTooLarge()) {
      const others = [...this.#runs.values()].filter((run) => run.run !== summary.run);
      const oldest = others.find(isOver) ?? others[0];
      if (oldest !== undefined) this.#runs.delete(oldest.run);
    }
  }

  /**
   * The geometry of a task is known from now on.
   * @returns the environments that were waiting for it, as they are to be shown now
   */
  sceneReady(task: string, hash: string): EnvironmentView[] {
    this.#scenes.set(task, hash);
    const waiting = [...this.environments.values()].filter(({ view }) => view.task === task && view.scene === '');
    return waiting.map((environment) => {
      environment.view = { ...environment.view, scene: hash };
      return environment.view;
    });
  }

  /** @returns how the episode is to be shown now; null if it does not run any more */
  episodeScene(episode: number, hash: string): EnvironmentView | null {
    for (const environment of this.environments.values()) {
      if (environment.episode !== episode) continue;
      environment.view = { ...environment.view, scene: hash };
      return environment.view;
    }
    return null;
  }

  /** @returns what pages are to be told, or null if there are as many environments as a page can list */
  episodeStarted(started: EnvironmentView): EnvironmentView | null {
    const known = this.environments.get(started.key);
    if (known === undefined && this.environments.size >= WIRE_LIMITS.environmentsPerPage) return null;
    if (known?.view.run !== started.run) this.#closeOfOtherRuns(started.run);
    const view = started.scene === '' ? { ...started, scene: this.#scenes.get(started.task) ?? '' } : started;
    this.environments.set(view.key, {
      view,
      episode: view.episode,
      step: 0,
      reward: 0,
      return: 0,
      flags: 0,
      selection: -1,
      similarity: 0,
      poses: known?.poses ?? new Float32Array(0),
      poseCount: 0,
      contacts: NO_CONTACTS,
    });
    this.version++;
    return view;
  }

  /** Late steps of an earlier episode are ignored. */
  step(key: string, step: StepView): void {
    const environment = this.environments.get(key);
    if (environment?.episode !== step.episode) return;
    environment.step = step.step;
    environment.reward = step.reward;
    environment.return = step.return;
    environment.flags = step.flags;
    environment.selection = step.selection;
    environment.similarity = step.similarity;
    this.version++;
  }

  /** @param poses [bodies, 7]; copied, because the caller's bytes belong to a message */
  poses(key: string, poses: Float32Array, contacts?: Float32Array): void {
    const environment = this.environments.get(key);
    if (environment === undefined || poses.length % 7 !== 0 || poses.length > 7 * 0xffff) return;
    if (environment.poses.length === poses.length) environment.poses.set(poses);
    else environment.poses = poses.slice();
    environment.poseCount = poses.length / 7;
    const told = contacts !== undefined && contacts.length % CONTACT_COLUMNS === 0 && contacts.length <= MOST_CONTACTS;
    environment.contacts = told ? contacts.slice() : NO_CONTACTS;
    this.version++;
  }

  /**
   * Keeps what a page that connects later should be told. (The picture of an ended episode stays in its environment until
   * the next one starts there.)
   */
  remember(event: LogEvent): void {
    this.#log.push(event);
    if (this.#log.length > MOST_REMEMBERED) this.#log.shift();
  }

  /** The environment is not used any more: its run is over, or its worker has gone. */
  environmentClosed(key: string): boolean {
    const known = this.environments.delete(key);
    if (known) this.version++;
    return known;
  }

  /** Environments of workers that are lost, gone or not listed are closed: what they showed goes on elsewhere. */
  workersUpdated(workers: readonly WorkerView[]): void {
    this.workers = workers.slice(0, MOST_WORKERS);
    const living = new Set(workers.filter((worker) => isLiving(worker)).map((worker) => worker.worker));
    for (const key of this.environments.keys()) {
      if (!living.has(key.slice(0, key.lastIndexOf(':')))) this.environmentClosed(key);
    }
  }

  loadUpdated(load: LoadView): void {
    this.#load = load;
    this.version++;
  }

  snapshot(sequence: number): Snapshot {
    return {
      type: 'snapshot',
      sequence,
      runs: [...this.#runs.values()],
      environments: [...this.environments.values()].map((environment) => environment.view),
      workers: [...this.workers],
      load: this.#load,
      model: this.model,
    };
  }

  /** The last pictures of a run that is over stay until the next run needs the place. */
  #closeOfOtherRuns(run: string): void {
    for (const [key, { view }] of this.environments) {
      const other = view.run === run ? undefined : this.#runs.get(view.run);
      if (other !== undefined && isOver(other)) this.environmentClosed(key);
    }
  }

  #runsTooLarge(): boolean {
    let tasks = 0;
    for (const run of this.#runs.values()) tasks += run.tasks.length;
    return this.#runs.size > MOST_RUNS || tasks > MOST_RUN_TASKS;
  }
}

function isLiving({ state }: WorkerView): boolean {
  return state === 'starting' || state === 'ready';
}

function isOver(run: RunSummary): boolean {
  return run.state === 'finished' || run.state === 'stopped' || run.state === 'failed';
}
