import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerView } from '../../protocol/dashboard-views.ts';
import type { ServerMessage } from '../../protocol/simulator-messages.ts';
import type { TaskId } from '../../protocol/task.ts';
import type { ServerConfig } from '../config-schema.ts';
import { L2mError } from '../errors.ts';
import { startCurve } from './curve.ts';
import { admitLocalWorkers } from './local-worker-keys.ts';
import { pythonOfSetup } from './python.ts';
import { WorkerSupervisor } from './supervisor.ts';
import { TaskCatalog } from './task-catalog.ts';
import type { WorkerEvents } from './worker-events.ts';
import { WorkerHub } from './worker-hub.ts';

export interface FleetEvents extends Pick<WorkerEvents, 'rows' | 'fault' | 'scene' | 'late'> {
  readonly changed: () => void;
  readonly lost: (worker: string, reason: string) => void;
  readonly came: (worker: string) => void;
  /** No local worker is left and none will come. */
  readonly exhausted: (error: L2mError) => void;
}

export interface FleetOptions {
  readonly config: ServerConfig;
  readonly serverId: string;
  /** Further arguments for worker processes; fault tests inject failures with it. */
  readonly workerArguments: (worker: string, launch: number) => readonly string[];
}

/** Loading a simulator blocks the loop of its worker: up to a second idle, several on a busy machine. A hung step has its own deadline. */
const LIVENESS_MS = 15_000;
const BUDGET_WINDOW_MS = 600_000;
const DRAIN_MS = 3000;

/** The simulators as one: local processes with their supervisor, remote ones that connect, and what tasks they offer. */
export class WorkerFleet {
  readonly hub: WorkerHub;
  readonly catalog: TaskCatalog;
  readonly #supervisor: WorkerSupervisor;
  readonly #messages = new Map<string, string>();
  readonly #closeCurve: () => void;
  #nextAsked = 0;

  private constructor(parts: {
    hub: WorkerHub;
    catalog: TaskCatalog;
    supervisor: WorkerSupervisor;
    closeCurve: () => void;
  }) {
    this.hub = parts.hub;
    this.catalog = parts.catalog;
    this.#supervisor = parts.supervisor;
    this.#closeCurve = parts.closeCurve;
  }

  static async open(events: FleetEvents, options: FleetOptions): Promise<WorkerFleet> {
    const { config } = options;
    assertSafeEndpoint(config);
    const curve = config.curveKeys === '' ? undefined : await startCurve(config.curveKeys);
    const parts: { fleet?: WorkerFleet } = {};
    const hub = await WorkerHub.open(
      {
        ...events,
        ready: (worker) => {
          if (parts.fleet !== undefined) parts.fleet.#ready(worker, events);
        },
        lost: (worker, reason) => {
          if (parts.fleet !== undefined) parts.fleet.#lost(worker, reason, events);
        },
        described: (spec) => parts.fleet?.catalog.described(spec),
      },
      {
        endpoint: config.endpoint,
        curve,
        serverId: options.serverId,
        deadlines: { livenessMs: LIVENESS_MS, stepMs: config.stepDeadlineMs, startMs: config.startDeadlineMs },
      },
    );
    const catalog = new TaskCatalog({
      deadlineMs: config.startDeadlineMs,
      ask: (task) => parts.fleet !== undefined && parts.fleet.#describe(task),
      known: () => [...new Set([...hub.sessions().values()].flatMap((session) => [...session.tasks]))],
    });
    mkdirSync(config.data, { recursive: true });
    const keys = curve === undefined ? [] : admitLocalWorkers(curve, config.data);
    const workerArguments: FleetOptions['workerArguments'] = (worker, launch) => [
      ...keys,
      ...options.workerArguments(worker, launch),
    ];
    const supervisor = superviseWorkers(hub, events, { ...options, workerArguments });
    parts.fleet = new WorkerFleet({ hub, catalog, supervisor, closeCurve: () => curve?.close() });
    supervisor.start();
    return parts.fleet;
  }

  get readyCount(): number {
    return this.hub.sessions().size;
  }

  restarts(worker: string): number {
    return this.#supervisor.restartsOf(worker);
  }

  /** Versions that the workers reported: python, mujoco, metaworld, dm_control, numpy. */
  versions(): Readonly<Record<string, string>> {
    return Object.assign({}, ...[...this.hub.sessions().values()].map(({ versions }) => versions)) as Record<
      string,
      string
    >;
  }

  /** Asks one of the workers that host a task, in turn, so that many questions are answered side by side. */
  ask(task: TaskId, message: Extract<ServerMessage, { type: 'describe' | 'want-scene' }>): boolean {
    const hosts = [...this.hub.sessions()].filter(([, session]) => session.tasks.has(task));
    const host = hosts[this.#nextAsked++ % Math.max(1, hosts.length)];
    if (host === undefined) return false;
    this.hub.tell(host[0], message);
    return true;
  }

  views(stepsPerSecond: (worker: string) => number): WorkerView[] {
    const connected = [...this.hub.sessions()].map(([worker, session]): WorkerView => ({
      ...{ worker, state: 'ready', processId: session.processId, environments: session.slots.length },
      ...{ stepsPerSecond: stepsPerSecond(worker), restarts: this.restarts(worker), message: '' },
    }));
    const absent = [...this.#messages]
      .filter(([worker]) => !this.hub.sessions().has(worker))
      .map(([worker, message]): WorkerView => ({
        ...{ worker, state: 'lost', processId: 0, environments: 0, stepsPerSecond: 0 },
        ...{ restarts: this.restarts(worker), message },
      }));
    return [...connected, ...absent].sort((a, b) => a.worker.localeCompare(b.worker));
  }

  async close(): Promise<void> {
    this.catalog.close();
    await this.hub.close('the server is closing');
    await this.#supervisor.close(DRAIN_MS);
    this.#closeCurve();
  }

  #ready(worker: string, events: FleetEvents): void {
    this.#messages.delete(worker);
    this.catalog.workerCame();
    events.came(worker);
    events.changed();
  }

  #lost(worker: string, reason: string, events: FleetEvents): void {
    this.#messages.set(worker, reason);
    if (this.#supervisor.owns(worker)) this.#supervisor.replace(worker);
    this.catalog.workerWent();
    events.lost(worker, reason);
    events.changed();
  }

  #describe(task: string): boolean {
    return this.ask(task, { type: 'describe', task });
  }
}

function superviseWorkers(hub: WorkerHub, events: FleetEvents, options: FleetOptions): WorkerSupervisor {
  const { config } = options;
  return new WorkerSupervisor(
    {
      python: config.workers > 0 ? pythonOfSetup() : '',
      endpoint: hub.endpoint,
      environments: config.environments,
      extraArguments: options.workerArguments,
      logFile: join(config.data, 'workers.log'),
    },
    { workers: config.workers, restartBudget: config.restartBudget, budgetWindowMs: BUDGET_WINDOW_MS, backoffMs: 100 },
    {
      exited: (worker, reason) => hub.giveUp(worker, `its process ended: ${reason}`),
      restarted: () => events.changed(),
      exhausted: (reason) => {
        if (hub.sessions().size === 0) events.exhausted(new L2mError('L2M_WORKER_BUDGET', reason));
      },
    },
  );
}

function assertSafeEndpoint(config: ServerConfig): void {
  const local = /^(ipc:\/\/|tcp:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\]):)/.test(config.endpoint);
  if (local || config.curveKeys !== '') return;
  throw new L2mError('L2M_ADDRESS_UNSAFE', `the simulator endpoint ${config.endpoint} without --curve-keys`);
}
