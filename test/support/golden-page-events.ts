import type { Frames, PageEvent } from '../../protocol/dashboard-messages.ts';
import { TensorFrames } from '../../protocol/tensor.ts';
import { CONTROL_UPDATED } from './golden-control.ts';
import type { GoldenMessage } from './golden-message.ts';
import { policyEvents } from './golden-policy.ts';

const load = {
  stepsPerSecond: 1234.5,
  simulateMs: 4.25,
  transportMs: 0.5,
  decideMs: 12,
  totalMs: 16.75,
  batchSize: 16,
  queueDepth: 0,
  queueMs: 0.25,
  viewers: 1,
};

const environment = {
  key: 'worker-1:3',
  run: 'run-20250101-1',
  episode: 17,
  task: 'metaworld/door-open-v3',
  start: 49,
  horizon: 500,
  scene: '',
};

const summary = {
  run: 'run-20250101-1',
  kind: 'evaluate',
  state: 'running',
  policy: 'mt10-small',
  protocol: 'official-v3',
  seed: 1,
  plannedEpisodes: 100,
  finishedEpisodes: 42,
  errorEpisodes: 1,
  redoneEpisodes: 2,
  steps: 21_000,
  stepsPerSecond: 812.5,
  secondsLeft: 35.5,
  startedAt: '2025-01-01T00:00:00.000Z',
  tasks: [
    {
      task: 'metaworld/door-open-v3',
      planned: 50,
      finished: 41,
      errors: 1,
      successAnyTime: { successes: 40, episodes: 41, rate: 40 / 41, interval: { low: 0.874, high: 0.995 } },
      successAtEnd: { successes: 39, episodes: 41, rate: 39 / 41, interval: { low: 0.838, high: 0.986 } },
      firstSuccessStep: 87,
      meanReturn: 2345.75,
      normalizedScore: null,
    },
    {
      task: 'dmcontrol/walker-walk',
      planned: 50,
      finished: 0,
      errors: 0,
      successAnyTime: { successes: 0, episodes: 0, rate: null, interval: null },
      successAtEnd: { successes: 0, episodes: 0, rate: null, interval: null },
      firstSuccessStep: null,
      meanReturn: null,
      normalizedScore: null,
    },
  ],
  meanSuccessAnyTime: 0.975,
  meanSuccessAtEnd: null,
  message: '',
} as const;

const workers = [
  {
    worker: 'worker-1',
    state: 'ready',
    processId: 4242,
    environments: 16,
    stepsPerSecond: 900.5,
    restarts: 0,
    message: '',
  },
  {
    worker: 'worker-2',
    state: 'lost',
    processId: 0,
    environments: 0,
    stepsPerSecond: 0,
    restarts: 3,
    message: 'silent',
  },
] as const;

/** What the server says to pages. */
export function pageEvents(): GoldenMessage[] {
  const model = {
    name: 'mt10-small',
    parameters: 1_100_000,
    modulation: 'lora',
    poolSize: 30,
    backend: 'tensorflow',
    version: 1,
  };
  const runs = [mutable(summary)];
  return [
    event('page-event-welcome', {
      type: 'welcome',
      protocol: { major: 1, minor: 0 },
      serverId: 'server-1',
      role: 'operator',
    }),
    event('page-event-snapshot', {
      type: 'snapshot',
      sequence: 5,
      runs,
      environments: [environment],
      workers: mutable(workers),
      load,
      model,
    }),
    event('page-event-snapshot-empty', {
      type: 'snapshot',
      sequence: 0,
      runs: [],
      environments: [],
      workers: [],
      load,
      model: null,
    }),
    event('page-event-run-updated', { type: 'run-updated', sequence: 6, summary: mutable(summary) }),
    event('page-event-episode-started', { type: 'episode-started', sequence: 7, environment }),
    event('page-event-episode-ended', {
      type: 'episode-ended',
      sequence: 8,
      key: 'worker-1:3',
      run: 'run-20250101-1',
      episode: 17,
      task: 'metaworld/door-open-v3',
      start: 49,
      outcome: 'success',
      length: 500,
      return: 2345.75,
      successAtEnd: true,
      firstSuccessStep: 87,
      message: '',
    }),
    event('page-event-workers-updated', { type: 'workers-updated', sequence: 9, workers: mutable(workers) }),
    event('page-event-notice', {
      type: 'notice',
      sequence: 10,
      level: 'warning',
      text: 'worker-2 was lost and is replaced',
      at: '2025-01-01T00:00:01.000Z',
    }),
    framesEvent(),
    ...policyEvents(),
    event('page-event-refused', { type: 'refused', code: 'L2M_TOKEN_REFUSED', message: 'no token', hint: 'pass one' }),
    event('page-event-control-updated', CONTROL_UPDATED),
    event('page-event-echoed', { type: 'echoed', stamp: 12345.5, skippedFrames: 3 }),
  ];
}

function framesEvent(): GoldenMessage {
  const tensors = new TensorFrames();
  const message: Frames = {
    type: 'frames',
    frame: 77,
    keys: ['worker-1:3', 'worker-1:4'],
    episodes: tensors.add(Uint32Array.of(17, 18), [2]),
    steps: tensors.add(Uint32Array.of(120, 1), [2]),
    rewards: tensors.add(Float32Array.of(1.5, 0), [2]),
    returns: tensors.add(Float32Array.of(220.25, 0), [2]),
    flags: tensors.add(Uint8Array.of(4, 0), [2]),
    selections: tensors.add(Int32Array.of(12, -1), [2]),
    similarities: tensors.add(Float32Array.of(0.875, 0), [2]),
    poseCounts: tensors.add(Uint16Array.of(1, 0), [2]),
    poses: tensors.add(Float32Array.of(0, 0.5, 1, 1, 0, 0, 0), [1, 7]),
    load,
  };
  return { name: 'page-event-frames', direction: 'pageEvent', message, frames: tensors.frames };
}

function event(name: string, message: PageEvent): GoldenMessage {
  return { name, direction: 'pageEvent', message, frames: [] };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] };

function mutable<T>(value: T): Mutable<T> {
  return structuredClone(value);
}
