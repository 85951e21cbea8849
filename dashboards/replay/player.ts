import { signal } from '@preact/signals';
import { blendPoses, type PoseFrame, type PoseSource } from '../scene/pose-track.ts';
import type { RecordedEpisode } from './recorded-episode.ts';

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8] as const;

/**
 * Moves through one recording. At a recorded step the poses are those of the file, bit for bit; only what lies between two
 * pictures while playing is blended.
 */
export class Player implements PoseSource {
  readonly episode: RecordedEpisode;
  /** In steps, 0 to the episode's length; a fraction only while playing. */
  readonly position = signal(0);
  readonly playing = signal(false);
  readonly speed = signal(1);
  readonly loop = signal(false);
  version = 0;
  #animation = 0;
  #lastAt = 0;
  #blended = new Float32Array(0);
  /** What was given to the scene last. */
  shown: Float32Array | null = null;

  constructor(episode: RecordedEpisode) {
    this.episode = episode;
  }

  get length(): number {
    return this.episode.header.length;
  }

  /** The last step that lies at or before the present position. */
  get step(): number {
    return Math.floor(this.position.value);
  }

  play(): void {
    if (this.playing.value || this.length === 0) return;
    if (this.position.value >= this.length) this.#move(0);
    this.playing.value = true;
    this.#lastAt = performance.now();
    this.#animation = requestAnimationFrame(this.#frame);
  }

  pause(): void {
    if (!this.playing.value) return;
    cancelAnimationFrame(this.#animation);
    this.playing.value = false;
    this.#move(Math.round(this.position.value));
  }

  toggle(): void {
    if (this.playing.value) this.pause();
    else this.play();
  }

  seek(step: number): void {
    this.#move(Math.min(this.length, Math.max(0, Math.round(step))));
  }

  /** Goes where another player is; a shorter episode waits at its end. */
  follow(position: number): void {
    this.#move(Math.min(this.length, position));
  }

  stepBy(steps: number): void {
    this.pause();
    this.seek(this.position.value + steps);
  }

  /** Draws the same picture once more. */
  redraw(): void {
    this.version++;
  }

  dispose(): void {
    cancelAnimationFrame(this.#animation);
  }

  get newest(): PoseFrame | null {
    const poses = this.posesAt(this.position.value);
    return poses && { episode: 0, step: this.step, poses, at: 0 };
  }

  moving(): boolean {
    return false;
  }

  at(): Float32Array | null {
    this.shown = this.posesAt(this.position.value);
    return this.shown;
  }

  /** Null where no poses were recorded. The array of a recorded step is the file's own; others are reused. */
  posesAt(position: number): Float32Array | null {
    const { poseSteps, poses, header } = this.episode;
    if (poseSteps.length === 0) return null;
    const width = header.poseRows * 7;
    const index = lastAtOrBefore(poseSteps, position);
    const picture = (at: number): Float32Array => poses.subarray(at * width, (at + 1) * width);
    const [before, after] = [poseSteps[index] ?? 0, poseSteps[index + 1]];
    if (after === undefined || position <= before) return picture(index);
    if (this.#blended.length !== width) this.#blended = new Float32Array(width);
    const share = (position - before) / (after - before);
    blendPoses(picture(index), picture(index + 1), { share, out: this.#blended });
    return this.#blended;
  }

  readonly #frame = (now: number): void => {
    const steps = ((Math.max(0, now - this.#lastAt) / 1000) * this.speed.value) / this.episode.header.controlTimestep;
    this.#lastAt = Math.max(now, this.#lastAt);
    const next = this.position.value + steps;
    if (next < this.length) this.#move(next);
    else if (this.loop.value) this.#move(0);
    else {
      this.#move(this.length);
      this.playing.value = false;
      return;
    }
    this.#animation = requestAnimationFrame(this.#frame);
  };

  #move(position: number): void {
    if (position === this.position.value) return;
    this.position.value = position;
    this.version++;
  }
}

/** Index of the last of the rising `steps` that is not beyond `position`; 0 if all are. */
function lastAtOrBefore(steps: Uint32Array, position: number): number {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((steps[middle] ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
