import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TaskId } from '../../protocol/task.ts';
import { share, writeWhole } from '../continual/run-folder.ts';
import { L2mError } from '../errors.ts';
import { trajectoryPath } from '../learning/trajectory-writer.ts';
import type { AdaptationSettings } from './adaptation-settings.ts';

const FORMAT = 'l2m-adaptation/1';
const FileSchema = Type.Object({
  format: Type.Literal(FORMAT),
  name: Type.String(),
  settings: Type.Unsafe<AdaptationSettings>(Type.Object({})),
  command: Type.String(),
});
type AdaptationFile = Static<typeof FileSchema>;
const validator = Compile(FileSchema);

/** Name of the data sets that policies of an adaptation leave in its folder. */
export const OWN_SOURCE = 'rollouts';
export const DEMONSTRATION_SOURCE = 'expert';

/** Where everything of one adaptation lies; copied to another machine, it can be continued there. */
export class AdaptationFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get name(): string {
    return basename(this.path);
  }

  get journal(): string {
    return join(this.path, 'journal.jsonl');
  }

  get trainerLog(): string {
    return join(this.path, 'trainer.log');
  }

  /** Root of trajectories of the pre-training tasks. */
  get identity(): string {
    return join(this.path, 'identity');
  }

  get demonstrations(): string {
    return join(this.path, 'demonstrations');
  }

  /** Root of the trajectories of a round, and place of its learner's states. */
  round(round: number): string {
    return join(this.path, 'rounds', String(round).padStart(4, '0'));
  }

  /** Pairs of a round that have been evaluated. */
  pairs(round: number): string {
    return join(this.round(round), 'pairs.jsonl');
  }

  /** The checkpoint of a version; 0 is what the adaptation began with. */
  checkpoint(version: number): string {
    return version === 0 ? join(this.path, 'base') : join(this.round(version), 'checkpoint');
  }

  /** Episodes of a version on the starts of the report. */
  report(version: number): string {
    return join(this.path, `report-${String(version).padStart(4, '0')}.json`);
  }

  ownTrajectories(round: number, task: TaskId): string {
    return trajectoryPath(this.round(round), task, OWN_SOURCE);
  }

  /** What it was begun with; undefined where nothing was. @throws L2mError L2M_DATA_INVALID for a damaged file */
  async read(): Promise<AdaptationFile | undefined> {
    const path = join(this.path, 'adaptation.json');
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(text);
      if (validator.Check(value)) return value;
    } catch (cause) {
      throw new L2mError('L2M_DATA_INVALID', `${path} is not JSON`, { cause });
    }
    throw new L2mError('L2M_DATA_INVALID', `${path} does not describe an adaptation`);
  }

  /** Takes in the checkpoint, then writes `adaptation.json`: a folder that has it is whole. */
  async begin(settings: AdaptationSettings, command: string, checkpoint: string): Promise<void> {
    await mkdir(this.path, { recursive: true });
    for (const name of ['manifest.json', 'model.safetensors', 'pool.safetensors']) {
      await share(join(checkpoint, name), join(this.checkpoint(0), name));
    }
    const file: AdaptationFile = { format: FORMAT, name: this.name, settings, command };
    await writeWhole(join(this.path, 'adaptation.json'), `${JSON.stringify(file, null, 2)}\n`);
  }

  /** Removes what a version that was rolled back leaves behind its trajectories. */
  async forget(version: number): Promise<void> {
    await rm(this.checkpoint(version), { recursive: true, force: true });
  }

  exists(): boolean {
    return existsSync(this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
