import { randomUUID } from 'node:crypto';
import type { ServerConfig } from '../config-schema.ts';
import { L2mError } from '../errors.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import { WorkerFleet } from '../simulators/worker-fleet.ts';
import { firstDifference, type Difference } from './first-difference.ts';
import type { LoadedRecording } from './load-recording.ts';

export type Replay =
  | { readonly kind: 'equal'; readonly steps: number; readonly pictures: number }
  | ({ readonly kind: 'different' } & Difference);

/**
 * Plays a recording again: the same start state and the executed actions, in a simulator process of its own.
 * @param onPoses asks for poses of every step and gets those of the start first; they belong to a message
 * @throws L2M_SIMULATOR_FAULT, L2M_WORKER_BUDGET if the simulator cannot play it
 */
export async function resimulate(
  recording: LoadedRecording,
  config: ServerConfig,
  onPoses?: (poses: Float32Array) => void,
): Promise<Replay> {
  const { header } = recording;
  let resolve: (replay: Replay) => void = () => undefined;
  let reject: (error: L2mError) => void = () => undefined;
  const outcome = new Promise<Replay>((...settlers) => ([resolve, reject] = settlers));
  const state: { fleet?: WorkerFleet; worker: string; episode: number } = { worker: '', episode: 0 };
  const onRow = (row: TickRow): void => {
    if (row.episode !== state.episode) return;
    const difference = firstDifference(recording, row);
    if (row.poses !== undefined) onPoses?.(row.poses);
    if (difference !== undefined) resolve({ kind: 'different', ...difference });
    else if (row.finished) resolve({ kind: 'equal', steps: header.length, pictures: header.pictures });
    else {
      const first = row.step * header.actionSize;
      const action = recording.executed.slice(first, first + header.actionSize);
      // Without a body to pull at (0), a step of such an episode is like any other.
      const pull = recording.pulls?.slice(row.step * 7, row.step * 7 + 7);
      const place = { environment: 0, episode: state.episode };
      state.fleet?.hub.act(state.worker, [pull === undefined ? place : { ...place, pull }], action);
    }
  };
  state.fleet = await WorkerFleet.open(
    {
      came: (worker) => {
        state.worker = worker;
        state.episode += 1;
        const { task, start, seed, protocol, horizon } = header;
        state.fleet?.hub.assign(worker, {
          ...{ environment: 0, episode: state.episode, task, start, seed, protocol, horizon },
          actor: { kind: 'server' },
          ...(header.pictures > 0 || onPoses !== undefined ? { poses: true } : {}),
        });
      },
      rows: (rows) => rows.forEach(onRow),
      fault: ({ code, message }) => reject(new L2mError('L2M_SIMULATOR_FAULT', `${code}: ${message}`)),
      exhausted: (error) => reject(error),
      ...{ scene: () => undefined, late: () => undefined, changed: () => undefined, lost: () => undefined },
    },
    {
      config: { ...config, workers: 1, environments: 1, endpoint: 'tcp://127.0.0.1:*', curveKeys: '' },
      serverId: randomUUID(),
      workerArguments: () => [],
    },
  );
  try {
    return await outcome;
  } finally {
    await state.fleet.close();
  }
}
