import { signal } from '@preact/signals';
import type { PoseFrame, PoseSource } from '../scene/pose-track.ts';

/** One picture of the past with the numbers that were shown beside it. */
export interface PastPicture extends PoseFrame {
  readonly reward: number;
  readonly return: number;
}

/**
 * The last pictures of one live environment, to look back while it goes on. Pictures are numbered from the first one on, so
 * that the one that is looked at stays the same while newer ones arrive.
 */
export class LivePast implements PoseSource {
  /** Number of the picture that is shown; null while the environment is shown live. */
  readonly looking = signal<number | null>(null);
  #pictures: PastPicture[] = [];
  #dropped = 0;

  /** Number of the oldest picture that is still there. */
  get first(): number {
    return this.#dropped;
  }

  /** Number of the newest; less than `first` while there is none. */
  get last(): number {
    return this.#dropped + this.#pictures.length - 1;
  }

  /** @param most pictures that may be kept; the oldest go */
  add(picture: PastPicture, most: number): void {
    // Other rows are another scene: what was before cannot be drawn with it.
    if (this.#pictures[0] !== undefined && this.#pictures[0].poses.length !== picture.poses.length) this.clear();
    this.#pictures.push(picture);
    const surplus = this.#pictures.length - most;
    if (surplus <= 0) return;
    this.#pictures.splice(0, surplus);
    this.#dropped += surplus;
  }

  /** Forgets everything; whoever looks back is live again. */
  clear(): void {
    this.#dropped += this.#pictures.length;
    this.#pictures = [];
    this.looking.value = null;
  }

  /** Shows a picture, the nearest that is there; beyond the newest is live. */
  look(number: number): void {
    this.looking.value = number > this.last ? null : Math.max(this.first, Math.round(number));
  }

  lookBy(pictures: number): void {
    this.look((this.looking.value ?? this.last) + pictures);
  }

  live(): void {
    this.looking.value = null;
  }

  /** What is looked at; the oldest there is once that has gone. Null while live. */
  get newest(): PastPicture | null {
    const number = this.looking.peek();
    return number === null ? null : (this.#pictures[Math.max(0, number - this.#dropped)] ?? null);
  }

  /** Below 0, so that it is never taken for a version of what is live. */
  get version(): number {
    return -1 - Math.max(this.#dropped, this.looking.peek() ?? 0);
  }

  moving(): boolean {
    return false;
  }

  at(): Float32Array | null {
    return this.newest?.poses ?? null;
  }
}
