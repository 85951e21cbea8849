import type { LiveServer } from '../build-server.ts';
import { owedBy, SnapshotHost, watchedRun } from '../continual/snapshot-host.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import type { RunRequest } from '../rollouts/run-request.ts';
import type { RunHandle, StartOptions } from '../rollouts/run-service.ts';
import type { ScoredEpisode } from '../store/records.ts';
import { ADAPTATION_PROTOCOL, type AdaptationSettings } from './adaptation-settings.ts';

export interface ActorHooks {
  readonly note: (text: string) => void;
  /** What is under way, in words. */
  readonly progress: (text: string) => void;
  /** Aborting ends what is under way. */
  readonly signal: AbortSignal;
}

export interface ActorRun extends Pick<RunRequest, 'kind' | 'tasks' | 'episodes' | 'firstStart' | 'seed'> {
  readonly policy: ActingPolicy;
  /** What is done, for the progress line. */
  readonly what: string;
  readonly options?: Pick<StartOptions, 'take' | 'skip'>;
}

/** `acting` makes the rollouts and is exchanged at every promotion; what would replace it waits in a place of its own. */
export type ActorPlace = 'acting' | 'candidate';

/** The versions of an adaptation on simulators. Both places keep their compiled graphs while pools are exchanged in them. */
export class Actors {
  readonly #server: LiveServer;
  readonly #horizon: AdaptationSettings['horizon'];
  readonly #hooks: ActorHooks;
  readonly #host: SnapshotHost;
  readonly #policies = new Map<ActorPlace, { readonly checkpoint: string; readonly policy: ActingPolicy }>();
  #current: RunHandle | undefined;

  constructor(server: LiveServer, { horizon }: Pick<AdaptationSettings, 'horizon'>, hooks: ActorHooks) {
    this.#server = server;
    this.#horizon = horizon;
    this.#hooks = hooks;
    this.#host = new SnapshotHost(server, hooks.note);
  }

  /** The policy of a checkpoint, which takes its place in the host unless it is there already. */
  async load(place: ActorPlace, checkpoint: string, name: string): Promise<ActingPolicy> {
    const known = this.#policies.get(place);
    if (known?.checkpoint === checkpoint) return known.policy;
    const { policy, view } = await this.#host.load({ place, checkpoint, name }, () => owedBy(this.#current));
    this.#policies.set(place, { checkpoint, policy });
    if (place === 'acting') {
      const { parameters, modulation, poolSize, version } = view;
      const backend = (await this.#host.backend()) ?? '';
      this.#server.showModel({ name, parameters, modulation, poolSize, backend, version });
    }
    return policy;
  }

  /**
   * Runs episodes to their end.
   * @returns the latest attempt at each start, or undefined where it was stopped
   * @throws L2mError L2M_SIMULATOR_FAULT if simulators gave up
   */
  async run({ policy, what, options, ...wanted }: ActorRun): Promise<ScoredEpisode[] | undefined> {
    const { signal, progress } = this.#hooks;
    if (signal.aborted) return undefined;
    this.#current = undefined;
    const handle = await this.#server.runs.start(
      {
        ...{ ...wanted, protocol: ADAPTATION_PROTOCOL, horizon: this.#horizon },
        policy: { kind: 'learner', name: policy.name },
      },
      { policy, ...options },
    );
    this.#current = handle;
    const summary = await watchedRun(this.#server, handle, {
      signal,
      progress: (finished, planned) => progress(`${what} ${finished}/${planned}`),
    });
    return summary === undefined ? undefined : this.#server.store.latestEpisodes(handle.run);
  }

  close(): Promise<void> {
    return this.#host.close();
  }
}
