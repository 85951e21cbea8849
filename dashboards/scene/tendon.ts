import { CapsuleGeometry, DynamicDrawUsage, InstancedMesh, Matrix4, Quaternion, Vector3, type Material } from 'three';
import type { SceneTendon } from './manifest.ts';

const HANGING_PIECES = 24;
const along = new Vector3();
const middle = new Vector3();
const turn = new Quaternion();
const matrix = new Matrix4();
const Y = new Vector3(0, 1, 0);

/** A tendon as cylinders with round ends from point to point of its path. */
export class TendonLine {
  readonly mesh: InstancedMesh;
  readonly #tendon: SceneTendon;

  constructor(tendon: SceneTendon, material: Material) {
    this.#tendon = tendon;
    const pieces = tendon.hangingLength > 0 ? HANGING_PIECES : tendon.count - 1;
    this.mesh = new InstancedMesh(new CapsuleGeometry(tendon.width, 1, 4, 10), material, pieces);
    this.mesh.instanceMatrix.setUsage(DynamicDrawUsage);
    this.mesh.frustumCulled = false;
    this.mesh.castShadow = true;
    this.mesh.receiveShadow = true;
  }

  /** @param poses [rows, 7] of frames 1.. */
  follow(poses: Float32Array): void {
    const { first, count, hangingLength } = this.#tendon;
    this.mesh.visible = (first + count - 1) * 7 <= poses.length;
    if (!this.mesh.visible) return;
    const path = Array.from({ length: count }, (_, index) => new Vector3().fromArray(poses, (first + index - 1) * 7));
    const points = hangingLength > 0 ? hanging(path[0]!, path[1]!, hangingLength) : path;
    for (let piece = 0; piece + 1 < points.length; piece++) {
      const [from, to] = [points[piece]!, points[piece + 1]!];
      along.copy(to).sub(from);
      const length = along.length();
      turn.setFromUnitVectors(Y, length > 0 ? along.divideScalar(length) : Y);
      matrix.compose(middle.copy(from).add(to).multiplyScalar(0.5), turn, new Vector3(1, length, 1));
      this.mesh.setMatrixAt(piece, matrix);
    }
    this.mesh.instanceMatrix.needsUpdate = true;
  }

  dispose(): void {
    this.mesh.geometry.dispose();
    this.mesh.dispose();
  }
}

/** Points of a chain of that length between two places, under gravity along -z; straight if it is taut. */
function hanging(from: Vector3, to: Vector3, length: number): Vector3[] {
  const points = Array.from({ length: HANGING_PIECES + 1 }, (_, index) =>
    from.clone().lerp(to, index / HANGING_PIECES),
  );
  const rise = to.z - from.z;
  const across = Math.hypot(to.x - from.x, to.y - from.y);
  if (from.distanceTo(to) >= length || across < 1e-6) return points;
  // The curve z = a cosh(x / a) has the length wanted where 2 a sinh(across / 2a) = sqrt(length^2 - rise^2).
  const wanted = Math.sqrt(length * length - rise * rise);
  let [low, high] = [1e-3, 1e3];
  for (let step = 0; step < 80; step++) {
    const u = Math.sqrt(low * high);
    if (Math.sinh(u) / u < wanted / across) low = u;
    else high = u;
  }
  const a = across / (2 * low);
  const lowest = across / 2 - a * Math.asinh(rise / wanted);
  const height = (x: number): number => a * (Math.cosh((x - lowest) / a) - Math.cosh(lowest / a));
  for (const [index, point] of points.entries()) point.z = from.z + height((index / HANGING_PIECES) * across);
  return points;
}
