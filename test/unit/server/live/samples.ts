import type { EnvironmentView, RunSummary, TaskScore } from '../../../../protocol/dashboard-views.ts';
import type { StepView } from '../../../../server/live/page-state.ts';

export function environmentView(key: string, overrides: Partial<EnvironmentView> = {}): EnvironmentView {
  return {
    key,
    run: 'run-1',
    episode: 1,
    task: 'metaworld/reach-v3',
    start: 0,
    horizon: 500,
    scene: '',
    ...overrides,
  };
}

export function stepView(step: number, overrides: Partial<StepView> = {}): StepView {
  return {
    episode: 1,
    step,
    reward: step / 10,
    return: step,
    flags: 0,
    selection: -1,
    similarity: 0,
    ...overrides,
  };
}

export function taskScore(task: string): TaskScore {
  const rate = { successes: 3, episodes: 4, rate: 0.75, interval: { low: 0.3, high: 0.95 } };
  return {
    task,
    planned: 10,
    finished: 4,
    errors: 0,
    successAnyTime: rate,
    successAtEnd: rate,
    firstSuccessStep: 61,
    meanReturn: 1234.5,
    normalizedScore: null,
  };
}

export function runSummary(run: string, overrides: Partial<RunSummary> = {}): RunSummary {
  return {
    run,
    kind: 'evaluate',
    state: 'running',
    policy: 'mt10',
    protocol: 'official-v3',
    seed: 1,
    plannedEpisodes: 10,
    finishedEpisodes: 4,
    errorEpisodes: 0,
    redoneEpisodes: 0,
    steps: 2000,
    stepsPerSecond: 500,
    secondsLeft: 6,
    startedAt: '2026-11-23T12:00:00.000Z',
    tasks: [taskScore('metaworld/reach-v3')],
    meanSuccessAnyTime: 0.75,
    meanSuccessAtEnd: 0.75,
    message: '',
    ...overrides,
  };
}
