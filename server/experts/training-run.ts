import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LiveServer } from '../build-server.ts';
import { errorFromUnknown } from '../errors.ts';
import { currentProvenance } from '../provenance.ts';
import { newRunId } from '../store/run-id.ts';
import { expertSettings, type ExpertOptions } from './expert-options.ts';
import type { CurvePoint } from './learning-curve.ts';

/** The training as the store has it: one run over all sessions, with its learning curve as metrics. */
export interface TrainingRun {
  record(point: CurvePoint): Promise<void>;
  end(state: 'finished' | 'stopped' | 'failed'): Promise<void>;
}

/** Goes on with the run that the training's folder names, or begins one and writes its name there. */
export async function openTrainingRun(server: LiveServer, options: ExpertOptions): Promise<TrainingRun> {
  const { store } = server;
  const file = join(options.folder, 'run.txt');
  const known = options.resume ? await readFile(file, 'utf8').catch(() => '') : '';
  const run = known === '' ? newRunId('pretrain', new Date()) : known;
  try {
    if (known === '') throw new RangeError('a new training');
    await store.updateRun(run, { state: 'running', message: 'resumed' });
  } catch (thrown) {
    // A data directory may have lost its database, or belong to another machine.
    if (known !== '' && errorFromUnknown(thrown).code !== 'L2M_RUN_UNKNOWN') throw thrown;
    await store.createRun({
      ...{ run, kind: 'pretrain', state: 'running', policy: `soft actor-critic ${options.task}`, protocol: null },
      ...{ seed: options.seed, checkpointHash: null, tasks: [], configuration: { ...expertSettings(options) } },
      provenance: currentProvenance(server.fleet.versions(), undefined),
    });
    await writeFile(file, run);
  }
  return {
    record: ({ steps, meanReturn, updatesPerSecond, temperature, criticLoss }) =>
      store.recordMetrics(
        run,
        Object.entries({ return: meanReturn, updatesPerSecond, temperature, criticLoss }).map(([name, value]) => ({
          ...{ step: steps, name, value },
        })),
      ),
    end: (state) => store.updateRun(run, { state }),
  };
}
