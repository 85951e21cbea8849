import { createHash } from 'node:crypto';
import type { PolicyConfig } from '../../agent/config.ts';
import { taskContext } from '../../agent/context/task-context.ts';
import { randomSource, type RandomSource } from '../../agent/random.ts';
import type { Domain } from '../../protocol/task.ts';
import type { BatchArrays } from './batch-arrays.ts';
import { clearBatch, fillWindow, ON_TIME, type Lateness, type WindowSource } from './fill-window.ts';
import { highestReturn, type LearningTask } from './learning-task.ts';

export interface WindowSamplerOptions {
  readonly seed: number;
  readonly split: 'training' | 'heldOut';
  /** How states, rewards and returns are scaled. */
  readonly policy: Pick<PolicyConfig, 'model' | 'options'>;
  /** Every batch from one domain, the domains in strict turn (spec §5.3). Otherwise all transitions are equally likely. */
  readonly alternateDomains: boolean;
  /** How often a window is drawn that begins where an episode has settled (`LearningTask`), against 1 for all others; 1 in the paper. */
  readonly afterSuccessWeight: number;
  /** Deviation of Gaussian noise on every value of a state, after scaling; 0 or absent: none. Held-out windows stay clean. */
  readonly observationNoise?: number;
  /**
   * Share of windows that are shown as if their episode had come to them later and with less gathered before; 0 or absent: none. Experts are on
   * time, so step and return tell what they do next as well as the state does, and who learns from them goes on in step when it has failed.
   * Held-out windows stay as they were.
   */
  readonly lateShare?: number;
}

export interface WindowSampler {
  /** Windows that exist: one for every transition. */
  readonly windowCount: number;
  /**
   * Fills the arrays with batch number `index`: a pure function of seed, split and index, so a resumed run draws what an
   * uninterrupted one would have drawn, without any state to keep.
   */
  fill(batch: BatchArrays, index: number): void;
}

/** One episode that windows may come from. */
interface Drawn {
  readonly source: WindowSource;
  readonly first: number;
  readonly end: number;
  /** See `LearningTask.settledRows`. */
  readonly settled: number;
}

/**
 * Draws windows as spec §5.3: a trajectory with probability proportional to its length, a start uniform over its steps, steps
 * start..min(start + T, length) - 1, padded on the left. The first two together are one uniform draw over all transitions.
 * @throws RangeError if there is no transition to draw
 */
export function windowSampler(tasks: readonly LearningTask[], options: WindowSamplerOptions): WindowSampler {
  const groups = tasksInTurn(tasks, options.alternateDomains)
    .map((members) => transitionPool(members, options))
    .filter((pool) => pool.count > 0);
  if (groups.length === 0) throw new RangeError(`there are no ${options.split} episodes to draw windows from`);

  return {
    windowCount: groups.reduce((sum, pool) => sum + pool.count, 0),
    fill: (batch, index) => {
      const pool = groups[index % groups.length];
      if (pool === undefined) return;
      const random = randomFor(options.seed, options.split, index);
      const noise = options.split === 'training' ? (options.observationNoise ?? 0) : 0;
      const perturb = noise === 0 ? () => 0 : () => noise * random.normal();
      const lateShare = options.split === 'training' ? (options.lateShare ?? 0) : 0;
      clearBatch(batch);
      for (let window = 0; window < batch.size; window++) {
        const { source, first, end, row } = pool.draw(random);
        const last = Math.min(end, row + batch.model.context);
        const late =
          lateShare > 0 && random.uniform() < lateShare ? lateness(source, { row, last, end }, random) : ON_TIME;
        fillWindow(batch, window, { source, first, row, end: last, perturb, late });
      }
    },
  };
}

/** Tasks that share a batch: all, or those of one domain, batch n being of group n modulo their number. */
export function tasksInTurn(tasks: readonly LearningTask[], alternateDomains: boolean): LearningTask[][] {
  const domains: readonly Domain[] = ['metaworld', 'dmcontrol'];
  const groups = alternateDomains
    ? domains.map((domain) => tasks.filter((task) => task.domain === domain))
    : [[...tasks]];
  return groups.filter((members) => members.length > 0);
}

/** A generator for one purpose and index, independent of every other: seeds next to each other give related PCG streams, hashes do not. */
export function randomFor(seed: number, purpose: string, index: number): RandomSource {
  return randomSource(seedFor(seed, purpose, index));
}

/** @returns whole number in 0..2^48-1 */
export function seedFor(seed: number, purpose: string, index: number): number {
  return createHash('sha256').update(`${seed} ${purpose} ${index}`).digest().readUIntBE(0, 6);
}

interface TransitionPool {
  readonly count: number;
  draw(random: RandomSource): Drawn & { readonly row: number };
}

function transitionPool(tasks: readonly LearningTask[], options: WindowSamplerOptions): TransitionPool {
  const drawn: Drawn[] = [];
  for (const task of tasks) {
    const context = taskContext(task.trajectories.head.spec, options.policy, 0);
    const source = { task, context, best: highestReturn(task) };
    for (const episode of task[options.split]) {
      const { episodeOffsets } = task.trajectories;
      const [first = 0, end = 0] = episodeOffsets.subarray(episode, episode + 2);
      drawn.push({ source, first, end, settled: task.settledRows[episode] ?? end });
    }
  }
  // [episodes + 1] transitions before each episode
  const before = new Float64Array(drawn.length + 1);
  drawn.forEach(({ first, end }, i) => (before[i + 1] = (before[i] ?? 0) + end - first));
  const count = before[drawn.length] ?? 0;
  return {
    count,
    draw: (random) => {
      for (;;) {
        const transition = random.below(count);
        const index = lastNotAbove(before, transition);
        const episode = drawn[index];
        if (episode === undefined) throw new RangeError(`no episode holds transition ${transition} of ${count}`);
        const row = episode.first + transition - (before[index] ?? 0);
        const weight = row < episode.settled ? 1 : options.afterSuccessWeight;
        if (weight === 1 || random.uniform() < weight) return { ...episode, row };
      }
    },
  };
}

/** Index of the last of the rising numbers that is not above `value`, the last number itself left out. */
function lastNotAbove(rising: Float64Array, value: number): number {
  let low = 0;
  let high = rising.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((rising[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Anything between the truth and the end of the episode; between the truth and what the best episode of its data set gathered. */
function lateness(
  { best, task }: WindowSource,
  { row, last, end }: { readonly row: number; readonly last: number; readonly end: number },
  random: RandomSource,
): Lateness {
  const spare = Math.max(0, best - (task.returnsToGo[row] ?? 0));
  return { steps: random.below(end - last + 1), owed: spare * random.uniform() };
}
