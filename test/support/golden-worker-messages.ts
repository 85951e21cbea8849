import type { WorkerMessage } from '../../protocol/simulator-messages.ts';
import { TensorFrames } from '../../protocol/tensor.ts';
import type { GoldenMessage } from './golden-message.ts';

/** What workers say. */
export function workerMessages(): GoldenMessage[] {
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

function worker(name: string, message: WorkerMessage): GoldenMessage {
  return { name, direction: 'worker', message, frames: [] };
}
