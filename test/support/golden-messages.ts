import type { Frames, PageEvent, PageRequest } from '../../protocol/dashboard-messages.ts';
import type { ServerMessage, WorkerMessage } from '../../protocol/simulator-messages.ts';
import { TensorFrames } from '../../protocol/tensor.ts';
import { CONTROL_REQUESTS, CONTROL_UPDATED, handledAct } from './golden-control.ts';
import { policyEvents } from './golden-policy.ts';

export type Direction = 'worker' | 'server' | 'pageEvent' | 'pageRequest';

export interface GoldenMessage {
  /** File name without extension: direction, type and, where a type has several, the variant. */
  readonly name: string;
  readonly direction: Direction;
  readonly message: WorkerMessage | ServerMessage | PageEvent | PageRequest;
  readonly frames: readonly Uint8Array[];
}

/** At least one valid message of every type, with the corners that codecs get wrong: other scripts, extremes, empty tensors. */
export function goldenMessages(): GoldenMessage[] {
  return [...workerMessages(), ...serverMessages(), ...pageEvents(), ...pageRequests()];
}

function workerMessages(): GoldenMessage[] {
  return [
    worker('worker-hello', {
      type: 'hello',
      protocol: { major: 1, minor: 0 },
      workerId: 'worker-1',
      processId: 4242,
      engine: 'python',
      versions: { python: '3.11.2', mujoco: '3.3.0', metaworld: '3.1.1', dm_control: '1.0.28', numpy: '2.3.5' },
      environments: 16,
      tasks: ['metaworld/reach-v3', 'metaworld/pick-place-v3', 'dmcontrol/walker-walk', 'dmcontrol/ball_in_cup-catch'],
    }),
    worker('worker-described', {
      type: 'described',
      spec: {
        task: 'dmcontrol/walker-walk',
        observation: [
          { name: 'orientations', size: 14 },
          { name: 'height', size: 1 },
          { name: 'velocity', size: 9 },
        ],
        actionSize: 6,
        controlTimestep: 0.025,
        reportsSuccess: false,
        hasExpert: false,
      },
    }),
    observed(),
    observedByExpert(),
    observedNothing(),
    worker('worker-fault', {
      type: 'fault',
      environment: 255,
      episode: 0xffffffff,
      code: 'L2M_SIMULATOR_FAULT',
      message: 'Instabilität bei t = 0,25 s — 関節 3 \u{1f916}',
    }),
    worker('worker-fault-of-worker', { type: 'fault', code: 'L2M_TASK_UNKNOWN', message: '' }),
    scene(),
    worker('worker-heartbeat', { type: 'heartbeat', tick: 2 ** 53 - 1 }),
    worker('worker-bye', { type: 'bye', reason: 'x'.repeat(4096) }),
  ];
}

function observed(): GoldenMessage {
  const tensors = new TensorFrames();
  const message: WorkerMessage = {
    type: 'observed',
    tick: 70_000,
    environments: tensors.add(Uint16Array.of(0, 1, 255), [3]),
    episodes: tensors.add(Uint32Array.of(1, 65_536, 0xffffffff), [3]),
    steps: tensors.add(Uint32Array.of(0, 12, 500), [3]),
    observations: tensors.add(
      Float32Array.of(0, -1.5, 0.25, 1e-30, 3e38, -0.125, Infinity, -Infinity, NaN, 7, 8, 9),
      [3, 4],
    ),
    rewards: tensors.add(Float64Array.of(0, 0.1, -12.75), [3]),
    flags: tensors.add(Uint8Array.of(0, 4, 7), [3]),
    executed: tensors.add(Float32Array.of(0, 0, 1, -1, 0.5, -0.5), [3, 2]),
    simulateMs: 1.625,
    waitMs: 0,
  };
  return { name: 'worker-observed', direction: 'worker', message, frames: tensors.frames };
}

function observedByExpert(): GoldenMessage {
  const tensors = new TensorFrames();
  const message: WorkerMessage = {
    type: 'observed',
    tick: 3,
    environments: tensors.add(Uint16Array.of(7), [1]),
    episodes: tensors.add(Uint32Array.of(9), [1]),
    steps: tensors.add(Uint32Array.of(4), [1]),
    observations: tensors.add(Float32Array.of(0.5, 0.75, 1), [1, 3]),
    rewards: tensors.add(Float64Array.of(2.5), [1]),
    flags: tensors.add(Uint8Array.of(16), [1]),
    executed: tensors.add(Float32Array.of(0.25, -0.25), [1, 2]),
    targets: tensors.add(Float32Array.of(0.5, -0.75), [1, 2]),
    poses: tensors.add(Float32Array.of(0, 0.1, 0.2, 1, 0, 0, 0, 0.3, 0.4, 0.5, 0, 1, 0, 0), [2, 7]),
    poseCounts: tensors.add(Uint16Array.of(2), [1]),
    simulateMs: 0.5,
    waitMs: 12.5,
  };
  return { name: 'worker-observed-expert', direction: 'worker', message, frames: tensors.frames };
}

function observedNothing(): GoldenMessage {
  const tensors = new TensorFrames();
  const message: WorkerMessage = {
    type: 'observed',
    tick: 0,
    environments: tensors.add(new Uint16Array(0), [0]),
    episodes: tensors.add(new Uint32Array(0), [0]),
    steps: tensors.add(new Uint32Array(0), [0]),
    observations: tensors.add(new Float32Array(0), [0, 39]),
    rewards: tensors.add(new Float64Array(0), [0]),
    flags: tensors.add(new Uint8Array(0), [0]),
    executed: tensors.add(new Float32Array(0), [0, 4]),
    simulateMs: 0,
    waitMs: 0,
  };
  return { name: 'worker-observed-nothing', direction: 'worker', message, frames: tensors.frames };
}

function scene(): GoldenMessage {
  const tensors = new TensorFrames();
  const manifest = new TextEncoder().encode('{"bodies":["torso"]}');
  const message: WorkerMessage = {
    type: 'scene',
    task: 'metaworld/reach-v3',
    hash: 'sha256-0a1b2c',
    manifest: tensors.add(manifest, [manifest.length]),
    assets: tensors.add(
      Uint8Array.from({ length: 37 }, (_, i) => (i * 7) % 256),
      [37],
    ),
  };
  return { name: 'worker-scene', direction: 'worker', message, frames: tensors.frames };
}

function serverMessages(): GoldenMessage[] {
  const assign = {
    type: 'assign',
    environment: 3,
    episode: 17,
    task: 'metaworld/door-open-v3',
    protocol: 'official-v3',
    seed: 0xffffffff,
    start: 49,
    horizon: 500,
  } as const;
  const tensors = new TensorFrames();
  const act: ServerMessage = {
    type: 'act',
    environments: tensors.add(Uint16Array.of(3, 200), [2]),
    episodes: tensors.add(Uint32Array.of(17, 4_000_000_000), [2]),
    actions: tensors.add(Float32Array.of(-1, -0.5, 0.5, 1, 0, 0.125, -0.125, 0.1), [2, 4]),
  };
  return [
    server('server-welcome', {
      type: 'welcome',
      protocol: { major: 1, minor: 0 },
      serverId: 'server-1',
      heartbeatMs: 1000,
      livenessMs: 5000,
    }),
    server('server-refused', {
      type: 'refused',
      code: 'L2M_VERSION_REFUSED',
      message: 'The peer speaks another version of the protocol: 2.0, not 1.0.',
      hint: 'Run the worker or the page from the same release as the server.',
    }),
    server('server-describe', { type: 'describe', task: 'dmcontrol/cheetah-run' }),
    server('server-assign', { ...assign, actor: { kind: 'server' } }),
    server('server-assign-expert', {
      ...assign,
      protocol: 'l2m-paper',
      start: 1_000_000,
      horizon: 200,
      actor: { kind: 'expert', noise: 0.1, noiseSeed: 4_294_967_295 },
    }),
    { name: 'server-act', direction: 'server', message: act, frames: tensors.frames },
    handledAct(),
    server('server-release', { type: 'release', environment: 0, episode: 1 }),
    server('server-watch', { type: 'watch', posesHz: 12.5 }),
    server('server-want-scene', { type: 'want-scene', task: 'metaworld/drawer-close-v3' }),
    server('server-drain', { type: 'drain', reason: 'the run is over' }),
    server('server-alive', { type: 'alive' }),
  ];
}

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

function pageEvents(): GoldenMessage[] {
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

function pageRequests(): GoldenMessage[] {
  return [
    request('page-request-hello', { type: 'hello', protocol: { major: 1, minor: 0 }, token: 'secret' }),
    request('page-request-hello-local', { type: 'hello', protocol: { major: 1, minor: 0 } }),
    request('page-request-acknowledge', { type: 'acknowledge', frame: 77, visible: true }),
    request('page-request-watch-policy', {
      type: 'watch-policy',
      key: 'worker-0:3',
      attention: { block: 2, head: 0 },
    }),
    request('page-request-watch-nothing', { type: 'watch-policy', key: null, attention: null }),
    request('page-request-acknowledge-policy', { type: 'acknowledge-policy', number: 9 }),
    request('page-request-subscribe', { type: 'subscribe', framesHz: 15 }),
    request('page-request-echo', { type: 'echo', stamp: 12345.5 }),
    request('page-request-control', { type: 'control', run: 'run-20250101-1', action: 'pause' }),
    ...Object.entries(CONTROL_REQUESTS).map(([name, message]) => request(`page-request-${name}`, message)),
  ];
}

function worker(name: string, message: WorkerMessage): GoldenMessage {
  return { name, direction: 'worker', message, frames: [] };
}

function server(name: string, message: ServerMessage): GoldenMessage {
  return { name, direction: 'server', message, frames: [] };
}

function event(name: string, message: PageEvent): GoldenMessage {
  return { name, direction: 'pageEvent', message, frames: [] };
}

function request(name: string, message: PageRequest): GoldenMessage {
  return { name, direction: 'pageRequest', message, frames: [] };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] };

function mutable<T>(value: T): Mutable<T> {
  return structuredClone(value);
}
