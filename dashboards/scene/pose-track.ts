/** Poses of one environment at one instant: [rows, 7] position and quaternion (w, x, y, z), flattened. */
export interface PoseFrame {
  readonly episode: number;
  readonly step: number;
  readonly poses: Float32Array;
  /** When it arrived, in milliseconds. */
  readonly at: number;
}

/** Where a tile takes its pictures from: the newest of a live environment, or a recording. */
export interface PoseSource {
  /** Null before there is anything to draw. */
  readonly newest: PoseFrame | null;
  /** Rises with every new picture. */
  readonly version: number;
  /** Whether the picture still changes at `now` without anything new arriving. */
  moving(now: number): boolean;
  /** The poses to draw at `now`; may be reused between calls. */
  at(now: number): Float32Array | null;
}

/** After a longer silence there is no motion to fill in: the new picture is shown as it is. */
const LONGEST_BLEND_MS = 400;

/**
 * The last two pictures of an environment, and what lies between them. It is drawn one picture late: what arrives is where
 * the motion is going, so that the page never has to guess.
 */
export class PoseTrack implements PoseSource {
  #from: PoseFrame | null = null;
  #to: PoseFrame | null = null;
  #blended = new Float32Array(0);
  /** Rises with every new picture. */
  version = 0;

  get newest(): PoseFrame | null {
    return this.#to;
  }

  add(frame: PoseFrame): void {
    const last = this.#to;
    if (last !== null && last.episode === frame.episode && last.step === frame.step) return;
    const continues =
      last !== null &&
      last.episode === frame.episode &&
      frame.step > last.step &&
      last.poses.length === frame.poses.length &&
      frame.at - last.at <= LONGEST_BLEND_MS;
    this.#from = continues ? last : null;
    this.#to = { ...frame, poses: frame.poses.slice() };
    this.version++;
  }

  /** Whether the picture still changes at `now` without anything new arriving. */
  moving(now: number): boolean {
    return this.#from !== null && this.#to !== null && now - this.#to.at <= this.#to.at - this.#from.at;
  }

  /** The poses to draw at `now`; reused between calls. Null before the first picture. */
  at(now: number): Float32Array | null {
    const [from, to] = [this.#from, this.#to];
    if (to === null) return null;
    if (from === null) return to.poses;
    const share = (now - to.at) / Math.max(1, to.at - from.at);
    if (share >= 1) return to.poses;
    if (this.#blended.length !== to.poses.length) this.#blended = new Float32Array(to.poses.length);
    blendPoses(from.poses, to.poses, { share: Math.max(0, share), out: this.#blended });
    return this.#blended;
  }
}

/** Straight line for positions, normalised straight line (shorter way) for quaternions: steps are small turns. */
export function blendPoses(
  from: Float32Array,
  to: Float32Array,
  { share, out }: { readonly share: number; readonly out: Float32Array },
): void {
  for (let row = 0; row < to.length; row += 7) {
    for (let k = row; k < row + 3; k++) out[k] = from[k]! + (to[k]! - from[k]!) * share;
    let dot = 0;
    for (let k = row + 3; k < row + 7; k++) dot += from[k]! * to[k]!;
    const sign = dot < 0 ? -1 : 1;
    let squared = 0;
    for (let k = row + 3; k < row + 7; k++) {
      const value = from[k]! * (1 - share) * sign + to[k]! * share;
      out[k] = value;
      squared += value * value;
    }
    const scale = squared > 0 ? 1 / Math.sqrt(squared) : 0;
    for (let k = row + 3; k < row + 7; k++) out[k] = out[k]! * scale;
  }
}
