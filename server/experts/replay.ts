import type { ExpertShape } from '../../agent/experts/expert-shape.ts';

export interface ReplayOptions {
  readonly shape: ExpertShape;
  /** E, environments that step together. */
  readonly lanes: number;
  /** T, decisions of an episode. */
  readonly decisions: number;
  /** Newest transitions to draw from; whole rounds of episodes are forgotten. */
  readonly capacity: number;
}

/** One lane's episode, as far as it went. */
export interface ReplayEpisode {
  /** [T, W] before each decision */
  readonly observations: Float32Array;
  /** [T, A] */
  readonly actions: Float32Array;
  /** [T] sum of the rewards that the decision led to; the last one never arrives and is not drawn */
  readonly rewards: Float32Array;
}

/** Where a transition is written to; `row` counts in rows of the arrays. */
export interface ReplayTarget {
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
  readonly nextObservations: Float32Array;
}

/**
 * Everything that E environments in step have seen, by rounds of E episodes of T decisions. Transition n is the same one whether the
 * rounds arrived step by step or were read back from a file, which makes a resumed training draw what an uninterrupted one draws.
 * An episode's last decision is left out: no file keeps the observation after it.
 */
export class Replay {
  readonly #options: ReplayOptions;
  readonly #rounds: (ReplayEpisode[] | undefined)[] = [];
  #round = 0;
  /** Observations of the current round so far; the decision on the last of them may be outstanding. */
  #observed = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** The round under way, from 0. */
  get round(): number {
    return this.#round;
  }

  /** Observations of the round under way. */
  get observed(): number {
    return this.#observed;
  }

  /** Decisions made by all lanes since the beginning, the one outstanding left out. */
  get decided(): number {
    return (this.#round * this.#options.decisions + Math.max(0, this.#observed - 1)) * this.#options.lanes;
  }

  /** Transitions ever complete and drawable. */
  get #complete(): number {
    const { lanes, decisions } = this.#options;
    return (this.#round * (decisions - 1) + Math.max(0, this.#observed - 1)) * lanes;
  }

  /** Transitions that can be drawn now. */
  get size(): number {
    return this.#complete - this.#forgotten();
  }

  /**
   * What all lanes show now. @param observations [E, W] @param rewards [E] of the decision before; ignored at the first of an episode
   */
  observe(observations: Float32Array, rewards: Float32Array): void {
    const { lanes, decisions, shape } = this.#options;
    if (this.#observed === decisions) this.#nextRound();
    const step = this.#observed++;
    for (let lane = 0; lane < lanes; lane++) {
      const episode = this.#current(lane);
      const width = shape.observationSize;
      episode.observations.set(observations.subarray(lane * width, (lane + 1) * width), step * width);
      if (step > 0) episode.rewards[step - 1] = rewards[lane] ?? 0;
    }
  }

  /** What all lanes do about it. @param actions [E, A] */
  act(actions: Float32Array): void {
    const { lanes, shape } = this.#options;
    for (let lane = 0; lane < lanes; lane++) {
      const own = actions.subarray(lane * shape.actionSize, (lane + 1) * shape.actionSize);
      this.#current(lane).actions.set(own, (this.#observed - 1) * shape.actionSize);
    }
  }

  /** Puts a finished episode of an earlier session where it was. All of rounds 0..`round` - 1 have to be put before `goOnFrom`. */
  put(number: number, episode: ReplayEpisode): void {
    const round = Math.floor(number / this.#options.lanes);
    (this.#rounds[round] ??= [])[number % this.#options.lanes] = episode;
  }

  /** Begins after what was put, with the lanes' unfinished episodes. */
  goOnFrom(round: number, observed: number, unfinished: readonly ReplayEpisode[]): void {
    this.#round = round;
    this.#observed = observed;
    this.#rounds[round] = [...unfinished];
    for (let old = 0; old < this.#firstRound(); old++) this.#rounds[old] = undefined;
  }

  /** The lanes' unfinished episodes, for a saved state; the arrays are the replay's own. */
  unfinished(): readonly ReplayEpisode[] {
    return this.#rounds[this.#round] ?? [];
  }

  /** Whether an episode is among what can still be drawn from when `round` is under way. */
  wants(number: number, round: number): boolean {
    return Math.floor(number / this.#options.lanes) >= this.#firstRound(round);
  }

  /** Copies drawable transition `index`, 0 the oldest, to a row of `target`. */
  copy(index: number, target: ReplayTarget, row: number): void {
    const { lanes, decisions, shape } = this.#options;
    const number = this.#forgotten() + index;
    const tick = Math.floor(number / lanes);
    const step = tick % (decisions - 1);
    const episode = this.#rounds[Math.floor(tick / (decisions - 1))]?.[number % lanes];
    if (episode === undefined) throw new RangeError(`transition ${index} of ${this.size} is not in the replay`);
    const [width, dims] = [shape.observationSize, shape.actionSize];
    target.observations.set(episode.observations.subarray(step * width, (step + 1) * width), row * width);
    target.nextObservations.set(episode.observations.subarray((step + 1) * width, (step + 2) * width), row * width);
    target.actions.set(episode.actions.subarray(step * dims, (step + 1) * dims), row * dims);
    target.rewards[row] = episode.rewards[step] ?? 0;
  }

  #current(lane: number): ReplayEpisode {
    const round = (this.#rounds[this.#round] ??= []);
    return (round[lane] ??= emptyEpisode(this.#options));
  }

  #nextRound(): void {
    this.#round++;
    this.#observed = 0;
    const first = this.#firstRound();
    if (first > 0) this.#rounds[first - 1] = undefined;
  }

  /** First round that is kept while `round` is under way. */
  #firstRound(round = this.#round): number {
    const { lanes, decisions, capacity } = this.#options;
    return Math.max(0, round - Math.max(1, Math.floor(capacity / (lanes * (decisions - 1)))));
  }

  #forgotten(): number {
    return this.#firstRound() * (this.#options.decisions - 1) * this.#options.lanes;
  }
}

/** Room for an episode. */
export function emptyEpisode({ shape, decisions }: Pick<ReplayOptions, 'shape' | 'decisions'>): ReplayEpisode {
  return {
    observations: new Float32Array(decisions * shape.observationSize),
    actions: new Float32Array(decisions * shape.actionSize),
    rewards: new Float32Array(decisions),
  };
}
