import { encodeMessage, packFrames } from '../../protocol/codec.ts';
import type { DecisionShown, PoolShown, WatchPolicy } from '../../protocol/policy-messages.ts';
import { TensorFrames, type TensorData } from '../../protocol/tensor.ts';
import type { PageEvent } from '../../protocol/dashboard-messages.ts';
import { errorFromUnknown } from '../errors.ts';
import type { Inspection } from '../rollouts/acting-policy.ts';
import { OUTBOX_LIMITS } from './page-outbox.ts';

/** What a run has used of its pool so far. */
export interface PoolUsageView {
  readonly run: string;
  readonly tasks: readonly string[];
  /** Decisions with each modulator, one row a task, [tasks, P]. */
  readonly usage: Uint32Array;
}

export interface PolicySource {
  /** Where an environment stands: changes with every step; undefined if there is no such environment. */
  place(key: string): string | undefined;
  /** What lies behind its newest decision; a text if nothing does, undefined if nothing runs there now. */
  inspect(key: string, attention: WatchPolicy['attention']): Promise<Inspection> | string | undefined;
  /** The run that uses the environment; undefined if nothing runs there. */
  usage(key: string, modulators: number): PoolUsageView | undefined;
}

/** The part of a page that is needed here. */
export interface PolicyViewer {
  /** Whether it is hidden or does not answer. */
  readonly slow: boolean;
  /** Sends at once or, while the socket is full, not at all. @returns whether it was sent */
  offer(bytes: Uint8Array): boolean;
  send(event: PageEvent): void;
}

interface Watch {
  readonly key: string;
  readonly attention: WatchPolicy['attention'];
  /** Messages that the page has not confirmed, by number, with the time they were sent. */
  readonly unconfirmed: Map<number, number>;
  told: string;
  toldReason: string;
  toldAt: number;
  poolAt: number;
}

export const POLICY_WATCH_LIMITS = {
  tickMs: 100,
  slowMs: 1000,
  poolMs: 1000,
  inspectDeadlineMs: 10_000,
  /** Explaining takes at most this share of the time, so that deciding keeps the rest. */
  share: 0.1,
  /** Nobody waits longer for it, as after the first one, which has to be compiled. */
  longestRestMs: 2000,
} as const;

/**
 * Shows pages what the policy thinks: one explanation at a time, of the watch that waited longest, for all pages that want the same.
 * Nothing is asked while nobody watches, and a page that does not keep up misses decisions.
 */
export class PolicyWatch {
  readonly #source: PolicySource;
  readonly #watches = new Map<PolicyViewer, Watch>();
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #restUntil = 0;
  #number = 0;

  constructor(source: PolicySource) {
    this.#source = source;
  }

  get watching(): number {
    return this.#watches.size;
  }

  watch(viewer: PolicyViewer, { key, attention }: WatchPolicy): void {
    const before = this.#watches.get(viewer);
    if (key === null) this.closed(viewer);
    else {
      const unconfirmed = before?.unconfirmed ?? new Map<number, number>();
      const poolAt = before?.key === key ? before.poolAt : -Infinity;
      this.#watches.set(viewer, { key, attention, unconfirmed, told: '', toldReason: '', toldAt: -Infinity, poolAt });
      this.#timer ??= setInterval(() => this.#tick(performance.now()), POLICY_WATCH_LIMITS.tickMs).unref();
    }
  }

  acknowledged(viewer: PolicyViewer, number: number): void {
    this.#watches.get(viewer)?.unconfirmed.delete(number);
  }

  closed(viewer: PolicyViewer): void {
    this.#watches.delete(viewer);
    if (this.#watches.size === 0) this.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(now: number): void {
    if (this.#busy || now < this.#restUntil) return;
    let next: Watch | undefined;
    for (const [viewer, watch] of this.#watches) {
      if (this.#due(viewer, watch, now) && (next === undefined || watch.toldAt < next.toldAt)) next = watch;
    }
    if (next === undefined) return;
    const asked = this.#source.inspect(next.key, next.attention);
    if (asked === undefined) return;
    if (typeof asked === 'string') this.#tellReason(next, asked);
    else void this.#show(next, asked);
  }

  #due(viewer: PolicyViewer, watch: Watch, now: number): boolean {
    for (const [number, sentAt] of watch.unconfirmed) {
      if (now - sentAt >= OUTBOX_LIMITS.acknowledgeTimeoutMs) watch.unconfirmed.delete(number);
    }
    if (watch.unconfirmed.size > 0) return false;
    const { tickMs, slowMs } = POLICY_WATCH_LIMITS;
    // A little early counts as due: timers fire on a coarse grid.
    if (now - watch.toldAt < (viewer.slow ? slowMs : tickMs) - 4) return false;
    const place = this.#source.place(watch.key);
    return place !== undefined && place !== watch.told;
  }

  async #show(wanted: Watch, asked: Promise<Inspection>): Promise<void> {
    this.#busy = true;
    const startMs = performance.now();
    const { key, attention } = wanted;
    const place = this.#source.place(key) ?? '';
    try {
      const inspection = await withDeadline(asked);
      if (inspection !== undefined) this.#tell({ key, attention, place }, inspection);
    } catch (thrown) {
      const { code, message } = errorFromUnknown(thrown);
      // The text of an internal error names its place in the log, which differs each time.
      this.#tellReason(wanted, code === 'L2M_INTERNAL' ? 'The decision could not be explained.' : message);
    } finally {
      this.#busy = false;
      const endMs = performance.now();
      const restMs = (endMs - startMs) * (1 / POLICY_WATCH_LIMITS.share - 1);
      this.#restUntil = endMs + Math.min(restMs, POLICY_WATCH_LIMITS.longestRestMs);
    }
  }

  /** Packed once for all pages that watch the same. */
  #tell(
    asked: { readonly key: string; readonly attention: Watch['attention']; readonly place: string },
    inspection: Inspection,
  ): void {
    const { key, attention, place } = asked;
    const now = performance.now();
    const decision = {
      number: ++this.#number,
      bytes: packedDecision({ number: this.#number, key, place }, inspection),
    };
    let pool: { number: number; bytes: Uint8Array } | undefined;
    const packedPool = () => {
      const usage = this.#source.usage(key, inspection.similarities.length);
      if (usage !== undefined)
        pool = { number: ++this.#number, bytes: packedPoolView(this.#number, usage, inspection) };
      return pool;
    };
    for (const [viewer, watch] of this.#watches) {
      const same = watch.key === key && sameChoice(watch.attention, attention);
      if (!same || watch.unconfirmed.size > 0) continue;
      if (!viewer.offer(decision.bytes)) continue;
      watch.unconfirmed.set(decision.number, now);
      Object.assign(watch, { told: place, toldAt: now, toldReason: '' });
      if (inspection.keys.length === 0 || now - watch.poolAt < POLICY_WATCH_LIMITS.poolMs) continue;
      const newest = pool ?? packedPool();
      if (newest === undefined || !viewer.offer(newest.bytes)) continue;
      watch.unconfirmed.set(newest.number, now);
      watch.poolAt = now;
    }
  }

  #tellReason({ key, attention }: Watch, reason: string): void {
    const now = performance.now();
    const place = this.#source.place(key) ?? '';
    for (const [viewer, watch] of this.#watches) {
      if (watch.key !== key || !sameChoice(watch.attention, attention)) continue;
      if (watch.toldReason !== reason) viewer.send({ type: 'no-decision', key, reason: reason.slice(0, 4096) });
      Object.assign(watch, { told: place, toldAt: now, toldReason: reason });
    }
  }
}

function sameChoice(a: Watch['attention'], b: Watch['attention']): boolean {
  return a?.block === b?.block && a?.head === b?.head;
}

/** Undefined if the episode ended before it decided again, or the host was too busy: there will be another. */
async function withDeadline(asked: Promise<Inspection>): Promise<Inspection | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), POLICY_WATCH_LIMITS.inspectDeadlineMs);
  });
  // A failure after the deadline is nobody's any more.
  asked.catch(() => undefined);
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

function packedDecision(
  { number, key, place }: { readonly number: number; readonly key: string; readonly place: string },
  inspection: Inspection,
): Uint8Array {
  const { model, attention, tokens, similarities, points } = inspection;
  const tensors = new TensorFrames();
  const column = (data: TensorData) => tensors.add(data, [data.length]);
  const queries = (inspection.rewards.length - 1) * (model.actionSize + 3) + 2 + tokens.length;
  const weights = attention?.weights ?? new Float32Array(0);
  const message: DecisionShown = {
    type: 'decision',
    ...{ number, key, episode: Number(place.split(':')[0]), step: inspection.step, version: inspection.version },
    ...{ blocks: model.blocks, heads: model.heads, tokensPerStep: model.actionSize + 3 },
    ...{ binCentres: inspection.binCentres, selected: inspection.selected, attended: attention?.choice ?? null },
    probabilities: tensors.add(inspection.probabilities, [tokens.length, model.bins]),
    tokens: column(tokens),
    returnsToGo: column(inspection.returnsToGo),
    rewards: column(inspection.rewards),
    similarities: column(similarities),
    points: tensors.add(points, [points.length / 2, 2]),
    attention: tensors.add(weights, attention === null ? [0, 0] : [queries, weights.length / queries]),
  };
  return packFrames(encodeMessage(message, tensors.frames));
}

function packedPoolView(number: number, { run, tasks, usage }: PoolUsageView, inspection: Inspection): Uint8Array {
  const tensors = new TensorFrames();
  const message: PoolShown = {
    type: 'pool',
    ...{ number, run, version: inspection.version, shares: [...inspection.shares], tasks: [...tasks] },
    keys: tensors.add(inspection.keys, [inspection.keys.length / 2, 2]),
    usage: tensors.add(usage, [tasks.length, tasks.length === 0 ? 0 : usage.length / tasks.length]),
  };
  return packFrames(encodeMessage(message, tensors.frames));
}
