import type { ExpertShape } from '../../agent/experts/expert-shape.ts';
import { pinkNoise, uniformFromNormal } from '../../agent/experts/pink-noise.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { randomFor, seedFor } from '../learning/window-sampler.ts';
import { decisionsOf, updatesDue, type ExpertSettings } from './expert-options.ts';
import { drawBatch } from './draw-batch.ts';
import { Replay, type ReplayEpisode } from './replay.ts';
import { allocateSacBatch, compileActing, compileSacUpdate } from './sac-graph.ts';
import type { ActingGraph, SacBatchArrays, SacGraph, UpdateFigures } from './sac-graph.ts';
import { SacTensors } from './sac-tensors.ts';

/** What stands still while the critics learn what a trained actor is worth. */
const HELD_WITH_ACTOR = ['actor values', 'temperature values'] as const;

/** How far a learner is. Chance is a function of seed and these numbers, so they are its whole state. */
export interface LearnerPosition {
  /** Rounds of episodes that are over. */
  readonly round: number;
  /** Decisions of the round under way, each of them answered. */
  readonly decisions: number;
  readonly updates: number;
}

export interface LearnerState {
  readonly position: LearnerPosition;
  readonly arrays: WeightArrays;
  readonly unfinished: readonly ReplayEpisode[];
}

/** Actor, critics and replay of one training; decides for all lanes at once and learns from what they see. No files, no processes. */
export class Learner {
  readonly #settings: ExpertSettings;
  readonly #shape: ExpertShape;
  readonly #replay: Replay;
  readonly #tensors: SacTensors;
  readonly #update: SacGraph;
  readonly #acting: ActingGraph;
  readonly #batch: SacBatchArrays;
  #updates: number;
  figures: UpdateFigures | undefined;

  /**
   * @param start.state to go on from; finished episodes have to be put before the first tick
   * @param start.actor a trained one, of a training that begins with it
   */
  constructor(
    settings: ExpertSettings,
    shape: ExpertShape,
    { state, actor, xla }: { state?: LearnerState; actor?: Float32Array; xla: boolean },
  ) {
    this.#settings = settings;
    this.#shape = shape;
    const { batchSize, lanes, capacity, seed } = settings;
    this.#replay = new Replay({ shape, lanes, capacity, decisions: decisionsOf(settings) });
    if (state !== undefined) {
      const { round, decisions } = state.position;
      this.#replay.goOnFrom(round, decisions, state.unfinished);
    }
    this.#tensors =
      state === undefined ? SacTensors.initial(shape, seed, actor) : SacTensors.fromArrays(shape, state.arrays);
    this.#updates = state?.position.updates ?? 0;
    const graph = {
      ...{ shape, batchSize, updatesPerRun: 1, compile: { xla } },
      settings: { ...settings, targetEntropy: -shape.actionSize },
    };
    this.#update = compileSacUpdate(graph);
    this.#acting = compileActing(shape, lanes, { xla: false });
    this.#batch = allocateSacBatch(graph);
  }

  get position(): LearnerPosition {
    return { round: this.#replay.round, decisions: this.#replay.observed, updates: this.#updates };
  }

  /** An episode of an earlier session. */
  put(number: number, episode: ReplayEpisode): void {
    if (this.#replay.wants(number, this.#replay.round)) this.#replay.put(number, episode);
  }

  /**
   * Takes in what all lanes show and decides for them.
   * @param observations [E, W]
   * @param rewards [E] that the decisions before led to
   * @returns [E, A]
   */
  decide(observations: Float32Array, rewards: Float32Array): Float32Array {
    this.#replay.observe(observations, rewards);
    const { lanes, warmUpDecisions, start } = this.#settings;
    const tick = this.#replay.round * decisionsOf(this.#settings) + this.#replay.observed - 1;
    const chance = this.#chance(tick);
    const actions =
      start === undefined && tick * lanes < warmUpDecisions
        ? chance.map(uniformFromNormal)
        : this.#acting.run(this.#tensors.current['actor values'], observations, chance);
    this.#replay.act(actions);
    return actions;
  }

  /** [E, A] standard normal numbers of one tick, a function of seed and tick. */
  #chance(tick: number): Float32Array {
    const { lanes, seed, exploration } = this.#settings;
    const { actionSize } = this.#shape;
    const chance = new Float32Array(lanes * actionSize);
    if (exploration === 'white') {
      const random = randomFor(seed, 'act', tick);
      return chance.map(() => random.normal());
    }
    const decisions = decisionsOf(this.#settings);
    for (let lane = 0; lane < lanes; lane++) {
      const episode = seedFor(seed, 'explore', Math.floor(tick / decisions) * lanes + lane);
      chance.set(pinkNoise(episode, tick % decisions, actionSize), lane * actionSize);
    }
    return chance;
  }

  /** Updates that the decisions so far allow and that are not done. */
  get due(): number {
    return this.#replay.size === 0 ? 0 : updatesDue(this.#settings, this.#replay.decided) - this.#updates;
  }

  /** One update. @throws RangeError if it diverged */
  update(): void {
    const number = this.#updates + 1;
    drawBatch(this.#batch, this.#replay, { seed: this.#settings.seed, firstUpdate: number, updates: 1 });
    // Moments are gathered all the while, so that the actor's first step is no larger than any other. The temperature would fall without
    // end or rise without end, as nothing answers it.
    const held = number <= (this.#settings.start?.criticUpdates ?? 0) ? HELD_WITH_ACTOR : [];
    this.figures = this.#update.run(this.#tensors, this.#batch, { firstUpdate: number, held });
    if (!Object.values(this.figures).every(Number.isFinite)) throw new RangeError(`update ${number} diverged`);
    this.#updates = number;
  }

  /** What the policy does without chance. @param observations [n, W], n <= E @returns [n, A] */
  choose(observations: Float32Array): Float32Array {
    const { lanes } = this.#settings;
    const { observationSize, actionSize } = this.#shape;
    const padded = new Float32Array(lanes * observationSize);
    padded.set(observations);
    const actions = this.#acting.run(
      this.#tensors.current['actor values'],
      padded,
      new Float32Array(lanes * actionSize),
    );
    return actions.slice(0, (observations.length / observationSize) * actionSize);
  }

  /** The actor's vector as it stands. */
  actor(): Float32Array {
    return Float32Array.from(this.#tensors.current['actor values'].dataSync());
  }

  /** The arrays are the learner's own where they belong to unfinished episodes: write them before the next tick. */
  state(): LearnerState {
    return { position: this.position, arrays: this.#tensors.toArrays(), unfinished: this.#replay.unfinished() };
  }

  dispose(): void {
    this.#update.dispose();
    this.#acting.dispose();
    this.#tensors.dispose();
  }
}
