import { join, resolve } from 'node:path';
import type { ModelView } from '../../protocol/dashboard-messages.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import type { ServerConfig } from '../config-schema.ts';
import { L2mError } from '../errors.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import { policyLabel, type RunRequest } from '../rollouts/run-request.ts';
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

const HOST_RESTARTS = 5;

/** Makes policies: simple ones at once, trained ones through the agent host, which is started when first needed. */
export class PolicyProvider {
  readonly #config: ServerConfig;
  readonly #events: PolicyEvents;
  readonly #models = new Map<string, Promise<Prepared>>();
  #host: Promise<AgentHost> | undefined;
  #startedHost: AgentHost | undefined;
  #depth: () => number = () => 0;

  constructor(config: ServerConfig, events: PolicyEvents) {
    this.#config = config;
    this.#events = events;
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
        return { policy: { ...EXPERT_POLICY, name: policyLabel(choice) }, checkpointHash: null };
      case 'checkpoint':
        return this.#model(resolve(choice.folder), policyLabel(choice));
    }
  }

  async close(): Promise<void> {
    await (await this.#host?.catch(() => undefined))?.close();
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
