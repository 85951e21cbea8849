import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';

export interface WorkerLaunch {
  readonly python: string;
  readonly endpoint: string;
  readonly environments: number;
  /** Further arguments of the worker's command line, such as keys or, in fault tests, `--inject`. */
  readonly extraArguments: (worker: string, launch: number) => readonly string[];
  readonly logFile: string;
}

export interface SupervisorOptions {
  readonly workers: number;
  /** How often workers may be replaced within `budgetWindowMs` before the supervisor gives up. */
  readonly restartBudget: number;
  readonly budgetWindowMs: number;
  /** Pause before a replacement; doubles with each one in the window. */
  readonly backoffMs: number;
}

export interface SupervisorEvents {
  readonly exited: (worker: string, reason: string) => void;
  readonly restarted: (worker: string, restarts: number) => void;
  readonly exhausted: (reason: string) => void;
}

interface Supervised {
  process: ChildProcess | undefined;
  restarts: number;
  launches: number;
}

/**
 * Keeps the local simulator processes alive: starts them, replaces those that end or are given up, within a budget.
 * A worker that hangs in native code cannot be asked to leave, so replacing always kills.
 */
export class WorkerSupervisor {
  readonly #workers = new Map<string, Supervised>();
  readonly #restartTimes: number[] = [];
  readonly #launch: WorkerLaunch;
  readonly #options: SupervisorOptions;
  readonly #events: SupervisorEvents;
  readonly #log: WriteStream;
  #closing = false;

  constructor(launch: WorkerLaunch, options: SupervisorOptions, events: SupervisorEvents) {
    this.#launch = launch;
    this.#options = options;
    this.#events = events;
    this.#log = createWriteStream(launch.logFile, { flags: 'a' });
    // A full disk must not stop the simulators: their log is lost, their episodes are not.
    this.#log.on('error', () => undefined);
  }

  start(): void {
    for (let index = 0; index < this.#options.workers; index++) {
      const worker = `worker-${index}`;
      this.#workers.set(worker, { process: undefined, restarts: 0, launches: 0 });
      this.#spawn(worker);
    }
  }

  owns(worker: string): boolean {
    return this.#workers.has(worker);
  }

  restartsOf(worker: string): number {
    return this.#workers.get(worker)?.restarts ?? 0;
  }

  processIdOf(worker: string): number | undefined {
    return this.#workers.get(worker)?.process?.pid;
  }

  /** Kills a worker that was given up; its exit then leads to a replacement. */
  replace(worker: string): void {
    this.#workers.get(worker)?.process?.kill('SIGKILL');
  }

  /** Waits up to `graceMs` for the workers to leave by themselves (they were told to drain), then kills the rest. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    const processes = [...this.#workers.values()].flatMap(({ process }) => (process ? [process] : []));
    await Promise.all(processes.map((process) => exitOf(process, graceMs)));
    this.#log.end();
  }

  #spawn(worker: string): void {
    const supervised = this.#workers.get(worker);
    if (supervised === undefined || this.#closing) return;
    supervised.launches += 1;
    const { python, endpoint, environments, extraArguments } = this.#launch;
    const process_ = spawn(
      python,
      [
        '-m',
        'sim_bridge',
        ...['--server', endpoint, '--worker-id', worker, '--environments', String(environments)],
        ...extraArguments(worker, supervised.launches),
      ],
      // The pipe on stdin tells an orphan that its parent is gone.
      { stdio: ['pipe', 'ignore', 'pipe'], env: { ...process.env, PYTHONUNBUFFERED: '1', OMP_NUM_THREADS: '1' } },
    );
    supervised.process = process_;
    const remembered: string[] = [];
    process_.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log.write(text);
      remembered.push(...text.split('\n').filter((line) => line.trim() !== ''));
      remembered.splice(0, remembered.length - 5);
    });
    process_.on('error', (error) => this.#exited(worker, process_, `cannot be started: ${error.message}`));
    process_.on('exit', (code, signal) => {
      const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
      const said = remembered.at(-1);
      this.#exited(worker, process_, said === undefined ? how : `${how}; it said: ${said.slice(0, 300)}`);
    });
  }

  #exited(worker: string, process_: ChildProcess, reason: string): void {
    const supervised = this.#workers.get(worker);
    if (supervised?.process !== process_) return;
    supervised.process = undefined;
    if (this.#closing) return;
    this.#events.exited(worker, reason);
    const nowMs = performance.now();
    const recent = this.#restartTimes.filter((at) => nowMs - at < this.#options.budgetWindowMs);
    this.#restartTimes.splice(0, this.#restartTimes.length, ...recent);
    if (recent.length >= this.#options.restartBudget) {
      this.#events.exhausted(`${worker} ended with ${reason} after ${recent.length} replacements`);
      return;
    }
    this.#restartTimes.push(nowMs);
    setTimeout(
      () => {
        if (this.#closing) return;
        supervised.restarts += 1;
        this.#spawn(worker);
        this.#events.restarted(worker, supervised.restarts);
      },
      this.#options.backoffMs * 2 ** recent.length,
    );
  }
}

function exitOf(process: ChildProcess, graceMs: number): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const killer = setTimeout(() => process.kill('SIGKILL'), graceMs);
    process.once('exit', () => {
      clearTimeout(killer);
      resolve();
    });
    process.stdin?.end();
  });
}
