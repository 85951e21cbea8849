import type { RunSummary, TaskScore } from '../../../protocol/dashboard-views.ts';
import { domainOf } from '../../../protocol/task.ts';
import type { PageHub } from '../../../server/live/page-hub.ts';
import { wilsonInterval } from '../../../dashboards/wilson.ts';
import type { RecordedScene } from './recorded-scenes.ts';

/** Tells a hub what a server would: recorded episodes, one after the other, in one environment each. */
export class ScenePlayer {
  readonly #hub: PageHub;
  readonly #scenes: readonly RecordedScene[];
  readonly #at: number[];
  #episode = 0;
  readonly #episodes: number[];

  constructor(hub: PageHub, scenes: readonly RecordedScene[]) {
    this.#hub = hub;
    this.#scenes = scenes;
    this.#at = scenes.map(() => 0);
    this.#episodes = scenes.map(() => 0);
    for (const index of scenes.keys()) this.#start(index);
  }

  /** One step of every environment. */
  advance(): void {
    for (const [index, scene] of this.#scenes.entries()) {
      const step = ++this.#at[index]!;
      if (step > scene.steps) {
        this.#end(index);
        this.#start(index);
      } else {
        this.#show(index, step);
      }
    }
  }

  #start(index: number): void {
    const scene = this.#scenes[index]!;
    this.#episodes[index] = ++this.#episode;
    this.#at[index] = 0;
    this.#hub.episodeStarted({
      key: `worker-0:${index}`,
      run: 'run-1',
      episode: this.#episode,
      task: scene.task,
      start: index,
      horizon: scene.steps,
      scene: '',
    });
    this.#show(index, 0);
  }

  #show(index: number, step: number): void {
    const scene = this.#scenes[index]!;
    const key = `worker-0:${index}`;
    const rewards = scene.rewards.slice(0, step + 1);
    this.#hub.step(key, {
      episode: this.#episodes[index]!,
      step,
      reward: scene.rewards[step] ?? 0,
      return: rewards.reduce((sum, reward) => sum + reward, 0),
      flags: scene.successes.slice(0, step + 1).includes(true) ? 4 : 0,
      selection: index % 3 === 2 ? -1 : index,
      similarity: 0.71,
    });
    this.#hub.poses(key, scene.poses(step));
  }

  #end(index: number): void {
    const scene = this.#scenes[index]!;
    const first = scene.successes.indexOf(true);
    const scored = domainOf(scene.task) === 'dmcontrol';
    this.#hub.episodeEnded({
      key: `worker-0:${index}`,
      run: 'run-1',
      episode: this.#episodes[index]!,
      task: scene.task,
      start: index,
      outcome: scored ? 'scored' : first >= 0 ? 'success' : 'failure',
      length: scene.steps,
      return: scene.rewards.reduce((sum, reward) => sum + reward, 0),
      successAtEnd: scene.successes.at(-1) === true,
      firstSuccessStep: first >= 0 ? first : null,
      message: '',
    });
  }
}

/** A plausible score sheet for the tasks that are played. */
export function sampleRun(tasks: readonly string[], overrides: Partial<RunSummary> = {}): RunSummary {
  return {
    run: '2026-11-23-mt10-01',
    kind: 'evaluate',
    state: 'running',
    policy: 'mddt-mt10-small',
    protocol: 'official-v3',
    seed: 1,
    plannedEpisodes: tasks.length * 10,
    finishedEpisodes: tasks.length * 7,
    errorEpisodes: 1,
    redoneEpisodes: 2,
    steps: 182_400,
    stepsPerSecond: 612,
    secondsLeft: 95,
    startedAt: '2026-11-23T12:00:00.000Z',
    tasks: tasks.map((task, index) => sampleScore(task, index)),
    meanSuccessAnyTime: 0.804,
    meanSuccessAtEnd: 0.722,
    message: '',
    ...overrides,
  };
}

function sampleScore(task: string, index: number): TaskScore {
  const success = domainOf(task) === 'metaworld';
  const any = rate([7, 6, 7, 3, 5, 7, 0, 4, 7, 6][index % 10] ?? 0, success ? 7 : 0);
  const end = rate(Math.max(0, any.successes - (index % 2)), success ? 7 : 0);
  return {
    task,
    planned: 10,
    finished: 7,
    errors: index === 3 ? 1 : 0,
    successAnyTime: any,
    successAtEnd: end,
    firstSuccessStep: any.successes > 0 ? 61 + 17 * index : null,
    meanReturn: success ? 1200.4 + 310 * index : 412.7 + 20 * index,
    normalizedScore: success ? null : 0.41 + 0.03 * index,
  };
}

function rate(successes: number, episodes: number) {
  const hits = Math.min(successes, episodes);
  if (episodes === 0) return { successes: 0, episodes: 0, rate: null, interval: null };
  return { successes: hits, episodes, rate: hits / episodes, interval: wilsonInterval(hits, episodes) };
}
