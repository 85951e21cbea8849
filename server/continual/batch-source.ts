import type { PolicyConfig } from '../../agent/config.ts';
import { observationLayout } from '../../agent/context/observation-layout.ts';
import type { TaskId } from '../../protocol/task.ts';
import type { BatchArrays } from '../learning/batch-arrays.ts';
import { mostDimensions, type LearningTask } from '../learning/learning-task.ts';
import { windowSampler, type WindowSampler } from '../learning/window-sampler.ts';
import type { ContinualSettings } from './continual-options.ts';
import { CONTINUAL_METHODS, type ContinualMethod } from './methods.ts';

export interface BatchSourceOptions {
  readonly settings: ContinualSettings;
  readonly policy: Pick<PolicyConfig, 'model' | 'options'>;
  /** Data of every task of the sequence. */
  readonly tasks: ReadonlyMap<TaskId, LearningTask>;
}

/** What each update learns from: a pure function of settings, data and the number of the batch (spec §5.3, §5.5). */
export class BatchSource {
  readonly #options: BatchSourceOptions;
  readonly #samplers = new Map<string, WindowSampler>();

  constructor(options: BatchSourceOptions) {
    this.#options = options;
  }

  /** Of the widest action in the sequence: no batch has a wider one. */
  get actionDimensions(): number {
    return mostDimensions(this.#options.tasks.values());
  }

  /** Fills a batch for the task at a place of the sequence: its own windows, and earlier ones where the method replays. */
  fill(batch: BatchArrays, index: number, position: number): void {
    const { sequence, method, replayShare } = this.#options.settings;
    const { replay, joint }: ContinualMethod = CONTINUAL_METHODS[method];
    if (joint === true) {
      this.#sampler('joint', () => [...new Set(sequence)].map((task) => this.#dataOf(task))).fill(batch, index);
      return;
    }
    const task = sequence[position] ?? '';
    const earlier = replay === true ? this.#earlier(position) : [];
    const replayed = earlier.length === 0 ? 0 : Math.round(replayShare * batch.size);
    const own = this.#sampler(`own ${task}`, () => [this.#dataOf(task)]);
    own.fill(windowsOf(batch, 0, batch.size - replayed), index);
    if (replayed === 0) return;
    const memory = this.#sampler(`memory ${position}`, () => earlier.map((each) => this.#kept(this.#dataOf(each))));
    memory.fill(windowsOf(batch, batch.size - replayed, replayed), index);
  }

  /** Windows of one task in its own numbering, for what is measured at a switch. @param every draws windows after success as often as others */
  samplerOf(task: TaskId, every: boolean): WindowSampler {
    return this.#sampler(`${every ? 'every' : 'own'} ${task}`, () => [this.#dataOf(task)], every);
  }

  /** Of a task's observations, as its data has them. */
  layoutOf(task: TaskId): string {
    return observationLayout(this.#dataOf(task));
  }

  #earlier(position: number): TaskId[] {
    const { sequence } = this.#options.settings;
    return [...new Set(sequence.slice(0, position))].filter((task) => task !== sequence[position]);
  }

  #dataOf(task: TaskId): LearningTask {
    const data = this.#options.tasks.get(task);
    if (data === undefined) throw new RangeError(`no data of ${task}`);
    return data;
  }

  /** The episodes that replay may keep of a task, spread evenly over its file. */
  #kept(task: LearningTask): LearningTask {
    const { replayEpisodes } = this.#options.settings;
    const stride = Math.max(1, task.training.length / replayEpisodes);
    return {
      ...task,
      training: task.training.filter((_, i) => Math.floor(i / stride) !== Math.floor((i - 1) / stride)),
    };
  }

  #sampler(name: string, tasksOf: () => readonly LearningTask[], every = false): WindowSampler {
    const known = this.#samplers.get(name);
    if (known !== undefined) return known;
    const { settings, policy } = this.#options;
    const sampler = windowSampler(tasksOf(), {
      ...{ seed: settings.seed, split: 'training', policy, alternateDomains: false },
      afterSuccessWeight: every ? 1 : settings.afterSuccessWeight,
      lateShare: settings.lateShare ?? 0,
    });
    this.#samplers.set(name, sampler);
    return sampler;
  }
}

/** Some windows of a batch, sharing its memory. */
export function windowsOf(batch: BatchArrays, first: number, count: number): BatchArrays {
  if (first === 0 && count === batch.size) return batch;
  const part = <Values extends Float32Array | Int32Array>(values: Values): Values => {
    const length = values.length / batch.size;
    return values.subarray(first * length, (first + count) * length) as Values;
  };
  return {
    size: count,
    model: batch.model,
    states: part(batch.states),
    actionTokens: part(batch.actionTokens),
    targetTokens: part(batch.targetTokens),
    returnsToGo: part(batch.returnsToGo),
    rewards: part(batch.rewards),
    timesteps: part(batch.timesteps),
    stepMask: part(batch.stepMask),
    actionMask: part(batch.actionMask),
    searchGroups: part(batch.searchGroups),
  };
}
