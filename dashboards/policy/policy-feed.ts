import { signal } from '@preact/signals';
import type { PageEvent, PageRequest } from '../../protocol/dashboard-messages.ts';
import type { AttentionChoice, DecisionShown, PoolShown } from '../../protocol/policy-messages.ts';
import { tensorView, type TensorHeader } from '../../protocol/tensor.ts';

/** A decision with its tensors as arrays; shapes as in `DecisionSchema`. */
export interface ShownDecision extends Pick<
  DecisionShown,
  'key' | 'episode' | 'step' | 'version' | 'blocks' | 'heads' | 'tokensPerStep' | 'binCentres' | 'selected' | 'attended'
> {
  readonly bins: number;
  readonly probabilities: Float32Array;
  readonly tokens: Int32Array;
  readonly returnsToGo: Float32Array;
  readonly rewards: Float32Array;
  readonly similarities: Float32Array;
  readonly points: Float32Array;
  readonly attention: Float32Array;
  /** Prompts before the window, the first columns of `attention`. */
  readonly prompts: number;
}

export interface ShownPool extends Pick<PoolShown, 'run' | 'version' | 'shares' | 'tasks'> {
  readonly keys: Float32Array;
  readonly usage: Uint32Array;
}

type PolicyEvent = Extract<PageEvent, { type: 'decision' | 'pool' | 'no-decision' }>;

/** Return-to-go and rewards of the watched episode by step, and where the query was; bounded, changed in place. */
export class PolicyTrail {
  episode = -1;
  readonly returnsToGo = new Map<number, number>();
  readonly rewards = new Map<number, number>();
  readonly queries: [x: number, y: number][] = [];

  add({ episode, step, returnsToGo, rewards, points }: ShownDecision): void {
    if (episode !== this.episode) {
      this.episode = episode;
      for (const part of [this.returnsToGo, this.rewards]) part.clear();
      this.queries.length = 0;
    }
    const first = step - returnsToGo.length + 1;
    returnsToGo.forEach((value, i) => this.returnsToGo.set(first + i, value));
    // What the newest action earns is not known yet.
    rewards.subarray(0, -1).forEach((value, i) => this.rewards.set(first + i + 1, value));
    if (points.length > 0) this.queries.push([points[0] ?? 0, points[1] ?? 0]);
    if (this.queries.length > 120) this.queries.shift();
  }
}

/** What the server tells of the policy, for whoever looks; the server is asked only while somebody does. */
export class PolicyFeed {
  readonly decision = signal<ShownDecision | null>(null);
  readonly pool = signal<ShownPool | null>(null);
  /** Why there is no decision to see. */
  readonly reason = signal('');
  readonly trail = new PolicyTrail();
  readonly #send: (request: PageRequest) => void;
  #wanted: Extract<PageRequest, { type: 'watch-policy' }> = { type: 'watch-policy', key: null, attention: null };

  constructor(send: (request: PageRequest) => void) {
    this.#send = send;
  }

  watch(key: string | null, attention: AttentionChoice | null): void {
    if (key !== this.#wanted.key) {
      this.decision.value = null;
      this.reason.value = '';
    }
    this.#wanted = { type: 'watch-policy', key, attention };
    this.#send(this.#wanted);
  }

  /** A server that does not know us any more has to be told again. */
  welcomed(): void {
    if (this.#wanted.key !== null) this.#send(this.#wanted);
  }

  received(event: PolicyEvent, frames: readonly Uint8Array[]): void {
    if (event.type === 'no-decision') {
      if (event.key !== this.#wanted.key) return;
      this.decision.value = null;
      this.reason.value = event.reason;
      return;
    }
    this.#send({ type: 'acknowledge-policy', number: event.number });
    const floats = (tensor: TensorHeader): Float32Array => tensorView(tensor, frames, 'float32');
    if (event.type === 'pool') {
      this.pool.value = { ...event, keys: floats(event.keys), usage: tensorView(event.usage, frames, 'uint32') };
      return;
    }
    if (event.key !== this.#wanted.key) return;
    const decision: ShownDecision = {
      ...event,
      bins: event.probabilities.shape[1] ?? 0,
      probabilities: floats(event.probabilities),
      tokens: tensorView(event.tokens, frames, 'int32'),
      returnsToGo: floats(event.returnsToGo),
      rewards: floats(event.rewards),
      similarities: floats(event.similarities),
      points: floats(event.points),
      attention: floats(event.attention),
      prompts: (event.attention.shape[1] ?? 0) - (event.attention.shape[0] ?? 0),
    };
    this.trail.add(decision);
    this.reason.value = '';
    this.decision.value = decision;
  }
}
