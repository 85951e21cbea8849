import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorFromUnknown } from '../errors.ts';
import { currentProvenance } from '../provenance.ts';
import { newRunId } from './run-id.ts';
import type { RunStore } from './run-store.ts';

export interface TrainingRunOptions {
  readonly store: RunStore;
  /** Of the simulators' packages. */
  readonly versions: Readonly<Record<string, string>>;
  /** Folder of the training; `run.txt` in it names the run. */
  readonly folder: string;
  /** Go on with the run that the folder names. */
  readonly resume: boolean;
  readonly policy: string;
  readonly seed: number;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** A training as the store has it: one run over all sessions, with its curves as metrics. */
export interface TrainingRun {
  readonly run: string;
  record(step: number, values: Readonly<Record<string, number>>): Promise<void>;
  end(state: 'finished' | 'stopped' | 'failed'): Promise<void>;
}

/** Goes on with the run that the training's folder names, or begins one and writes its name there. */
export async function openTrainingRun(options: TrainingRunOptions): Promise<TrainingRun> {
  const { store, folder, policy, seed, configuration } = options;
  const file = join(folder, 'run.txt');
  const known = options.resume ? await readFile(file, 'utf8').catch(() => '') : '';
  const run = known === '' ? newRunId('pretrain', new Date()) : known;
  try {
    if (known === '') throw new RangeError('a new training');
    await store.updateRun(run, { state: 'running', message: 'resumed' });
  } catch (thrown) {
    // A data directory may have lost its database, or belong to another machine.
    if (known !== '' && errorFromUnknown(thrown).code !== 'L2M_RUN_UNKNOWN') throw thrown;
    await store.createRun({
      ...{ run, kind: 'pretrain', state: 'running', policy, protocol: null },
      ...{ seed, checkpointHash: null, tasks: [], configuration: { ...configuration } },
      provenance: currentProvenance(options.versions, undefined),
    });
    await writeFile(file, run);
  }
  return {
    run,
    record: (step, values) =>
      store.recordMetrics(
        run,
        Object.entries(values).map(([name, value]) => ({ step, name, value })),
      ),
    end: (state) => store.updateRun(run, { state }),
  };
}
