import { crc32 } from 'node:zlib';
import { STEP_FLAGS } from '../../protocol/simulator-messages.ts';
import type { ScenePart } from '../live/scenes.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import type { RecordingSections } from './recording-file.ts';

/** What a running episode brings, row by row. Called on the hot path: copies what it keeps and never waits. */
export class EpisodeTape {
  readonly #rewards: Float64Array;
  readonly #executed: Float32Array;
  readonly #flags: Uint8Array;
  readonly #checks: Uint32Array;
  readonly #poses: { readonly step: number; readonly rows: Float32Array }[] = [];
  #pulls: Float32Array | undefined;
  /** Geometry of this episode alone; its recording has to bring it along. */
  scene: ScenePart | undefined;
  readonly #actionSize: number;
  readonly #observationSize: number;
  #length = 0;
  /** Set by the last row, unless the simulation went unstable. */
  whole = false;

  constructor(size: { readonly horizon: number; readonly actionSize: number; readonly observationSize: number }) {
    this.#actionSize = size.actionSize;
    this.#observationSize = size.observationSize;
    this.#rewards = new Float64Array(size.horizon);
    this.#executed = new Float32Array(size.horizon * size.actionSize);
    this.#flags = new Uint8Array(size.horizon);
    this.#checks = new Uint32Array(size.horizon + 1);
  }

  get poseRows(): number {
    return (this.#poses[0]?.rows.length ?? 0) / 7;
  }

  get poseBytes(): number {
    return this.#poses.length * this.poseRows * 28;
  }

  row(row: TickRow): void {
    const { step } = row;
    if (step > this.#rewards.length) return;
    this.#checks[step] = observationCheck(row, this.#observationSize);
    if (step > 0) {
      this.#length = step;
      this.#rewards[step - 1] = row.reward;
      this.#flags[step - 1] = row.flags & ~STEP_FLAGS.poses;
      this.#executed.set(row.executed.subarray(0, this.#actionSize), (step - 1) * this.#actionSize);
    }
    // A scene has the same rows throughout; a picture that has not is none of this episode's.
    const fits = this.#poses.length === 0 || row.poses?.length === this.#poses[0]?.rows.length;
    if (row.poses !== undefined && fits) this.#poses.push({ step, rows: row.poses.slice() });
    if (row.finished && !row.unstable) this.whole = true;
  }

  /** A body is pulled in the step after row `step`. @param pull [7] */
  pulled(step: number, pull: Float32Array): void {
    this.#pulls ??= new Float32Array(this.#rewards.length * 7);
    if (step < this.#rewards.length) this.#pulls.set(pull, step * 7);
  }

  sections(): RecordingSections {
    const length = this.#length;
    const width = this.poseRows * 7;
    const poses = new Float32Array(this.#poses.length * width);
    for (const [index, { rows }] of this.#poses.entries()) poses.set(rows, index * width);
    return {
      rewards: this.#rewards.slice(0, length),
      executed: this.#executed.slice(0, length * this.#actionSize),
      flags: this.#flags.slice(0, length),
      observationChecks: this.#checks.slice(0, length + 1),
      ...(this.#pulls === undefined ? {} : { pulls: this.#pulls.slice(0, length * 7) }),
      ...(width > 0 ? { poseSteps: Uint32Array.from(this.#poses, ({ step }) => step), poses } : {}),
      ...(this.scene === undefined ? {} : { sceneManifest: this.scene.manifest, sceneAssets: this.scene.assets }),
    };
  }
}

/** Four bytes stand for a whole observation: enough to notice at which step a replay went another way. */
export function observationCheck(row: Pick<TickRow, 'observation'>, size: number): number {
  const { buffer, byteOffset } = row.observation;
  return crc32(new Uint8Array(buffer, byteOffset, Math.min(size, row.observation.length) * 4));
}
