import {
  ConeGeometry,
  CylinderGeometry,
  InstancedMesh,
  Matrix4,
  Quaternion,
  Vector3,
  type Material,
  type Object3D,
} from 'three';
import type { SceneManifest } from './manifest.ts';

/** Numbers of one contact: position, normal, force, distance, how its force is drawn (0 not, 1 one way, 2 both). */
export const CONTACT_COLUMNS = 11;
const MOST = 64;
/** MuJoCo's arrows end at half of what the force would be long: a shaft of two thirds of that, and a head. */
const SHAFT = 1 / 3;
const TIP = 1 / 2;
const HEAD_WIDTH = 1.75;

const Y = new Vector3(0, 1, 0);
const from = new Vector3();
const along = new Vector3();
const middle = new Vector3();
const stretch = new Vector3();
const turn = new Quaternion();
const matrix = new Matrix4();

/** What contact points and forces are made of, lit as all else. */
export interface MarkMaterials {
  readonly point: Material;
  readonly force: Material;
}

/** Contact points and forces as MuJoCo's own viewer draws them. */
export class ContactMarks {
  readonly #looks: NonNullable<SceneManifest['view']['contacts']>;
  readonly #points: InstancedMesh;
  readonly #shafts: InstancedMesh;
  readonly #heads: InstancedMesh;

  /** @param materials stay the caller's to dispose of */
  constructor(looks: NonNullable<SceneManifest['view']['contacts']>, materials: MarkMaterials, root: Object3D) {
    this.#looks = looks;
    const cylinder = new CylinderGeometry(1, 1, 1, 20);
    this.#points = new InstancedMesh(cylinder, materials.point, MOST);
    this.#shafts = new InstancedMesh(cylinder, materials.force, 2 * MOST);
    this.#heads = new InstancedMesh(new ConeGeometry(1, 1, 20), materials.force, 2 * MOST);
    for (const mesh of this.#meshes) {
      mesh.frustumCulled = false;
      mesh.count = 0;
      mesh.receiveShadow = true;
      root.add(mesh);
    }
  }

  /** @param contacts [n, 11] flattened; null for none */
  show(contacts: Float32Array | null): void {
    const count = Math.min(MOST, (contacts?.length ?? 0) / CONTACT_COLUMNS);
    let arrows = 0;
    for (let index = 0; index < count; index++) {
      const contact = contacts!.subarray(index * CONTACT_COLUMNS, (index + 1) * CONTACT_COLUMNS);
      from.fromArray(contact);
      this.#point(index, contact);
      along.fromArray(contact, 6).multiplyScalar(this.#looks.metresPerNewton);
      const ways = contact[10] ?? 0;
      if (ways > 0 && along.lengthSq() > 0) this.#arrow(arrows++);
      if (ways > 1 && along.lengthSq() > 0) {
        along.negate();
        this.#arrow(arrows++);
      }
    }
    this.#points.count = count;
    this.#shafts.count = this.#heads.count = arrows;
    for (const mesh of this.#meshes) mesh.instanceMatrix.needsUpdate = true;
  }

  dispose(): void {
    for (const mesh of this.#meshes) {
      mesh.geometry.dispose();
      mesh.dispose();
    }
  }

  get #meshes(): readonly InstancedMesh[] {
    return [this.#points, this.#shafts, this.#heads];
  }

  /** A flat disc across the normal, as thick as the bodies overlap. */
  #point(index: number, contact: Float32Array): void {
    const { pointRadius, pointHalfHeight } = this.#looks;
    turn.setFromUnitVectors(Y, along.fromArray(contact, 3));
    const halfHeight = Math.max(pointHalfHeight, -(contact[9] ?? 0) / 2);
    this.#points.setMatrixAt(index, matrix.compose(from, turn, stretch.set(pointRadius, 2 * halfHeight, pointRadius)));
  }

  /** From `from` towards `along`. */
  #arrow(index: number): void {
    const { forceRadius } = this.#looks;
    const length = along.length();
    turn.setFromUnitVectors(Y, middle.copy(along).divideScalar(length));
    middle.copy(from).addScaledVector(along, SHAFT / 2);
    matrix.compose(middle, turn, stretch.set(forceRadius, SHAFT * length, forceRadius));
    this.#shafts.setMatrixAt(index, matrix);
    middle.copy(from).addScaledVector(along, (SHAFT + TIP) / 2);
    const width = HEAD_WIDTH * forceRadius;
    matrix.compose(middle, turn, stretch.set(width, (TIP - SHAFT) * length, width));
    this.#heads.setMatrixAt(index, matrix);
  }
}
