import { Quaternion, Vector3 } from 'three';

/** One row of `poses` as three.js has it; overwritten by each `readPose`. */
export interface PoseRow {
  readonly place: Vector3;
  readonly turn: Quaternion;
}

export function poseRow(): PoseRow {
  return { place: new Vector3(), turn: new Quaternion() };
}

/**
 * Reads the pose of a frame into `into`.
 * @param poses [rows, 7] of frames 1.., position and quaternion (w, x, y, z)
 * @returns false if there is none
 */
export function readPose(poses: Float32Array, frame: number, into: PoseRow): boolean {
  const first = (frame - 1) * 7;
  if (first < 0 || first + 7 > poses.length) return false;
  into.place.fromArray(poses, first);
  into.turn.set(poses[first + 4]!, poses[first + 5]!, poses[first + 6]!, poses[first + 3]!);
  return true;
}
