import { copyFile, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { domainOf, taskName, type TaskId } from '../../protocol/task.ts';
import { systemCodeOf } from '../checkpoints/tensor-file.ts';
import { L2mError } from '../errors.ts';
import { continualFingerprint, type ContinualSettings } from './continual-options.ts';

const RUN_FORMAT = 'l2m-continual/1';

const RunFileSchema = Type.Object({
  format: Type.Literal(RUN_FORMAT),
  name: Type.String(),
  settings: Type.Unsafe<ContinualSettings>(Type.Object({})),
  fingerprint: Type.String(),
  command: Type.String(),
});
type RunFile = Static<typeof RunFileSchema>;
const validator = Compile(RunFileSchema);

/**
 * Where everything of one continual training lies: copied to another machine, it can be continued there. Data and checkpoint that it learns
 * from are inside, as further names of the same files where the file system can do that.
 */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get name(): string {
    return basename(this.path);
  }

  /** The checkpoint that the training starts from. */
  get base(): string {
    return join(this.path, 'base');
  }

  get trajectories(): string {
    return join(this.path, 'trajectories');
  }

  get evaluations(): string {
    return join(this.path, 'evaluations.jsonl');
  }

  get metrics(): string {
    return join(this.path, 'metrics.jsonl');
  }

  get trainerLog(): string {
    return join(this.path, 'trainer.log');
  }

  get summary(): string {
    return join(this.path, 'summary.json');
  }

  /** The checkpoint after so many updates. */
  snapshot(update: number): string {
    return join(this.path, 'snapshots', String(update).padStart(9, '0'));
  }

  /** What the run was begun with; undefined where none was. @throws L2mError L2M_DATA_INVALID for a damaged file */
  async read(): Promise<RunFile | undefined> {
    const path = join(this.path, 'run.json');
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new L2mError('L2M_DATA_INVALID', `${path} is not JSON`, { cause });
    }
    if (validator.Check(value)) return value;
    throw new L2mError('L2M_DATA_INVALID', `${path} does not describe a continual training`);
  }

  /** Takes in the checkpoint and the data, then writes `run.json`: a run that has it is whole. */
  async begin(
    { settings, command }: { readonly settings: ContinualSettings; readonly command: string },
    { checkpoint, files }: { readonly checkpoint: string; readonly files: readonly string[] },
  ): Promise<void> {
    await mkdir(this.base, { recursive: true });
    for (const name of ['manifest.json', 'model.safetensors', 'pool.safetensors']) {
      await share(join(checkpoint, name), join(this.base, name));
    }
    for (const file of files) {
      const task = basename(dirname(file));
      await share(file, join(this.trajectories, basename(dirname(dirname(file))), task, basename(file)));
    }
    const fingerprint = continualFingerprint(settings, []);
    const run: RunFile = { format: RUN_FORMAT, name: this.name, settings, fingerprint, command };
    await writeWhole(join(this.path, 'run.json'), `${JSON.stringify(run, null, 2)}\n`);
  }

  /** Where the file of a task's data set is inside this folder. */
  trajectoryFile(task: TaskId, source: string): string {
    return join(this.trajectories, domainOf(task), taskName(task), `${source}.safetensors`);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  /** Updates after which there is a whole snapshot, in order. */
  async snapshots(): Promise<number[]> {
    const names = await readdir(join(this.path, 'snapshots')).catch(() => []);
    return names
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }
}

/** Writes a text under a temporary name and renames it: readers see the old one or the new one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new L2mError('L2M_STORE_UNWRITABLE', `${path} (${systemCodeOf(cause)})`, { cause });
  }
}

/** A further name for a file, or a copy where the file system has none. Files of either kind are replaced whole, never changed. */
export async function share(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rm(to, { force: true });
  try {
    await link(from, to);
  } catch {
    try {
      await copyFile(from, to);
    } catch (cause) {
      throw new L2mError('L2M_STORE_UNWRITABLE', `${to} (${systemCodeOf(cause)})`, { cause });
    }
  }
}
