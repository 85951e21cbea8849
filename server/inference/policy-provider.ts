import { join, resolve } from 'node:path';
import type { ModelView } from '../../protocol/dashboard-views.ts';
import { domainOf, type TaskId, type TaskSpec } from '../../protocol/task.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import type { ServerConfig } from '../config-schema.ts';
import { L2mError } from '../errors.ts';
import { advisedPolicy } from '../experts/advised-policy.ts';
import { ExpertActors } from '../experts/expert-actors.ts';
import { readExpert, type TrainedExpert } from '../experts/expert-file.ts';
import { findExpert } from '../experts/find-expert.ts';
import { trainedExpertPolicy } from '../experts/trained-expert-policy.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import { policyLabel, type PolicyChoice, type RunRequest } from '../rollouts/run-request.ts';
import { EXPERT_POLICY, RANDOM_POLICY, ZERO_POLICY } from '../rollouts/simple-policies.ts';
import { AgentHost } from './agent-host.ts';
import type { BatchFigures } from './batcher.ts';
import { hostThreads } from './host-threads.ts';
import { modelPolicy } from './model-policy.ts';

export interface PolicyEvents {
  /** Environments that can want a decision at once. */
  readonly expected: () => number;
  readonly batched: (figures: BatchFigures) => void;
  readonly note: (level: 'info' | 'warning' | 'error', text: string) => void;
  readonly modelChanged: (view: ModelView) => void;
  readonly exhausted: (error: L2mError) => void;
}

interface Prepared {
  readonly policy: ActingPolicy;
  readonly checkpointHash: string | null;
}

type ExpertChoice = Extract<PolicyChoice, { kind: 'expert' }>;

const HOST_RESTARTS = 5;

/** Makes policies: simple ones at once, trained ones through the agent host, which is started when first needed. */
export class PolicyProvider {
  readonly #config: ServerConfig;
  readonly #events: PolicyEvents;
  readonly #actors: ExpertActors;
  readonly #models = new Map<string, Promise<Prepared>>();
  #host: Promise<AgentHost> | undefined;
  #startedHost: AgentHost | undefined;
  #depth: () => number = () => 0;

  constructor(config: ServerConfig, events: PolicyEvents) {
    this.#config = config;
    this.#events = events;
    this.#actors = new ExpertActors({
      logFile: join(config.data, 'experts.log'),
      rows: largestBatch(config),
      backend: { backend: config.backend, threadCount: 1 },
    });
  }

  /** What computes, in one line; undefined while no trained policy has been asked for. */
  get backend(): string | undefined {
    return this.#startedHost?.backend?.detail;
  }

  get hostProcessId(): number | undefined {
    return this.#startedHost?.processId;
  }

  /** Whether the agent host, if one is needed, is up. */
  get ready(): boolean {
    return this.#host === undefined || this.#startedHost?.ready === true;
  }

  get queueDepth(): number {
    return this.#depth();
  }

  /** @throws L2M_CHECKPOINT_INVALID, L2M_BACKEND_UNAVAILABLE */
  async policyFor(request: RunRequest): Promise<Prepared> {
    const choice = request.policy;
    switch (choice.kind) {
      case 'zero':
        return { policy: ZERO_POLICY, checkpointHash: null };
      case 'random':
        return { policy: RANDOM_POLICY, checkpointHash: null };
      case 'learner':
        throw new L2mError('L2M_CONFIG_INVALID', `${choice.name} acts only within its training`, {
          hint: 'Export its trajectories, or evaluate a checkpoint.',
        });
      case 'expert':
        return choice.student === undefined
          ? this.#experts(request.tasks, choice)
          : this.#advised(request.tasks, { ...choice, student: choice.student });
      case 'checkpoint':
        return this.#model(resolve(choice.folder), policyLabel(choice));
    }
  }

  /** Frees a checkpoint that no run needs any more, so that its folder may go. */
  async release(folder: string): Promise<void> {
    const place = resolve(folder);
    if (!this.#models.delete(place)) return;
    await this.#startedHost?.unload(place);
  }

  async close(): Promise<void> {
    await Promise.all([(await this.#host?.catch(() => undefined))?.close(), this.#actors.close()]);
  }

  /** Scripts inside the workers for Meta-World, trained networks for DMControl. */
  async #experts(tasks: readonly TaskId[], choice: ExpertChoice): Promise<Prepared> {
    const name = policyLabel(choice);
    const experts = new Map<TaskId, TrainedExpert>();
    for (const task of tasks) {
      if (domainOf(task) !== 'dmcontrol') continue;
      const expert = await readExpert(await findExpert(this.#config.data, task));
      await this.#actors.load(expert);
      experts.set(task, expert);
    }
    const trained = trainedExpertPolicy({
      ...{ name, experts, actors: this.#actors, noises: choice.noises },
      ...(choice.decides === undefined ? {} : { decides: choice.decides }),
    });
    const of = ({ task }: TaskSpec) => (domainOf(task) === 'dmcontrol' ? trained : EXPERT_POLICY);
    return {
      policy: {
        name,
        assertSupports: (spec) => of(spec).assertSupports(spec),
        begin: (spec, plan) => of(spec).begin(spec, plan),
      },
      checkpointHash: experts.size === 0 ? null : [...experts.values()].map(({ sha256 }) => sha256).join('+'),
    };
  }

  async #advised(tasks: readonly TaskId[], choice: ExpertChoice & { readonly student: string }): Promise<Prepared> {
    const adviser = await this.#experts(tasks, { ...choice, noises: [0] });
    const student = await this.#model(
      resolve(choice.student),
      policyLabel({ kind: 'checkpoint', folder: choice.student }),
    );
    const { noises } = choice;
    return {
      policy: advisedPolicy({ name: policyLabel(choice), student: student.policy, adviser: adviser.policy, noises }),
      checkpointHash: [student.checkpointHash, adviser.checkpointHash].filter((hash) => hash !== null).join('+'),
    };
  }

  #model(folder: string, name: string): Promise<Prepared> {
    const known = this.#models.get(folder);
    if (known !== undefined) return known;
    const prepared = this.#load(folder, name);
    this.#models.set(folder, prepared);
    prepared.catch(() => this.#models.delete(folder));
    return prepared;
  }

  async #load(folder: string, name: string): Promise<Prepared> {
    const manifest = await readManifest(folder);
    const host = await this.#hostStarted();
    const maxBatch = largestBatch(this.#config);
    const view = await host.load(folder, folder, maxBatch);
    this.#events.modelChanged({
      name,
      parameters: view.parameters,
      modulation: view.modulation,
      poolSize: view.poolSize,
      backend: host.backend?.detail ?? '',
      version: view.version,
    });
    const { policy, depth } = modelPolicy({
      ...{ name, host, model: folder, manifest },
      batch: {
        maxBatch,
        maxWaitMs: this.#config.maxWaitMs,
        expected: this.#events.expected,
        observe: this.#events.batched,
      },
    });
    this.#depth = depth;
    return { policy, checkpointHash: `${manifest.files.model.sha256}+${manifest.files.pool.sha256}` };
  }

  #hostStarted(): Promise<AgentHost> {
    const { note, exhausted } = this.#events;
    this.#host ??= AgentHost.start(
      {
        backend: this.#config.backend,
        threadCount: hostThreads(this.#config),
        precision: this.#config.precision,
        logFile: join(this.#config.data, 'agent.log'),
        restartBudget: HOST_RESTARTS,
        startDeadlineMs: 180_000,
        decideDeadlineMs: this.#config.decideDeadlineMs,
      },
      {
        progress: (text) => note('info', text),
        restarted: (restarts, reason) => note('warning', `the agent host ended with ${reason}; restart ${restarts}`),
        exhausted,
      },
    ).then((host) => (this.#startedHost = host));
    return this.#host;
  }
}

/** No more than there are environments can want a decision at once; remote workers may bring any number. */
function largestBatch({ maxBatch, workers, environments }: ServerConfig): number {
  return workers === 0 ? maxBatch : Math.min(maxBatch, workers * environments);
}
