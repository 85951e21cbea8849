import {
  Color,
  Group,
  Light,
  Matrix4,
  Mesh,
  type Plane,
  Scene,
  Vector3,
  type Material,
  type Object3D,
  type SkinnedMesh,
} from 'three';
import { ContactMarks } from './contact-marks.ts';
import { Drawables } from './drawables.ts';
import { GeometryCache } from './geometry.ts';
import type { LightUniforms } from './light-shader.ts';
import { addLights } from './lighting.ts';
import type { SceneGeom, SceneManifest } from './manifest.ts';
import { MaterialCache } from './materials.ts';
import type { MirrorFace } from './mirror.ts';
import { poseRow, readPose } from './pose-row.ts';
import { RayLines } from './rays.ts';
import { skinMesh } from './skin.ts';
import { addSky, type Sky } from './sky.ts';
import { TendonLine } from './tendon.ts';
import type { ShownGroups, ViewChoices } from './view-settings.ts';

/** How much of a scene is subject, not surroundings: where the moving parts are and how far they reach. */
export interface Subject {
  readonly center: Vector3;
  readonly radius: number;
}

/** Only what a ghost consists of is in this layer, and every light. */
export const GHOST_LAYER = 1;
/** Metres, or parts of a quaternion, by which something has to be elsewhere to be seen as a ghost. */
const ELSEWHERE = 1e-3;
const GHOST_COLOR = 0x4d9dff;

const row = poseRow();
const { place, turn } = row;
const unit = new Vector3(1, 1, 1);

/**
 * One scene as three objects: a group for each frame, the drawables inside them. Environments with the same scene share
 * it: it takes on the poses of one, is drawn, and takes on those of the next.
 */
export class SceneModel {
  readonly manifest: SceneManifest;
  readonly scene = new Scene();
  readonly #frames: Group[];
  readonly #geometries: GeometryCache;
  readonly #materials: MaterialCache;
  readonly #drawables: Drawables;
  readonly #skins: readonly SkinnedMesh[];
  readonly #tendons: readonly TendonLine[];
  readonly #rays: RayLines | null;
  readonly #sky: Sky | null;
  #ghost: Material | null = null;
  #contacts: ContactMarks | null = null;

  constructor(manifest: SceneManifest, assets: ArrayBuffer) {
    this.manifest = manifest;
    // Its matrix is set by hand: it is the world, or the world behind the mirror.
    this.scene.matrixAutoUpdate = false;
    this.#geometries = new GeometryCache(manifest, assets);
    this.#materials = new MaterialCache(manifest, assets);
    this.#frames = manifest.frames.map(() => new Group());
    for (const [index, frame] of this.#frames.entries()) {
      frame.matrixAutoUpdate = false;
      frame.visible = index === 0;
      this.scene.add(frame);
    }
    this.#drawables = new Drawables({
      ...{ manifest, geometries: this.#geometries, materials: this.#materials, frames: this.#frames },
    });
    this.#skins = (manifest.skins ?? []).map((skin) =>
      skinMesh(skin, assets, { material: this.#materials.materialOf(surface(skin)), frames: this.#frames }),
    );
    this.#tendons = (manifest.tendons ?? []).map(
      (tendon) => new TendonLine(tendon, this.#materials.materialOf(surface(tendon))),
    );
    for (const mesh of [...this.#skins, ...this.#tendons.map((tendon) => tendon.mesh)]) this.scene.add(mesh);
    const { rays } = manifest;
    this.#rays = rays === undefined || rays.count === 0 ? null : new RayLines(rays, this.light.mirrored);
    if (this.#rays !== null) this.scene.add(this.#rays.mesh);
    addLights(manifest, this.scene, this.#frames);
    this.#sky = addSky(manifest, assets, this.scene);
    this.scene.traverse((each) => {
      if (each instanceof Light) each.layers.enable(GHOST_LAYER);
    });
  }

  /** @param poses [rows, 7] of frames 1..; frames beyond the last row stay hidden */
  pose(poses: Float32Array): void {
    for (const [index, frame] of this.#frames.entries()) {
      if (index === 0) continue;
      frame.visible = readPose(poses, index, row);
      if (frame.visible) frame.matrix.compose(place, turn, unit);
    }
    for (const tendon of this.#tendons) tendon.follow(poses);
    this.#rays?.follow(poses);
    this.scene.updateMatrixWorld(true);
  }

  /** What all shaders of the scene share. */
  get light(): LightUniforms {
    return this.#materials.light;
  }

  /** The one surface that shows the scene again, if there is one. */
  get mirror(): MirrorFace | null {
    return this.#drawables.mirror;
  }

  /** Turns the scene into what is behind a mirror, which itself is not seen there, nor the sky; null turns it back. */
  mirrorAt(plane: Plane | null): void {
    const { matrix } = this.scene;
    if (plane === null) {
      matrix.identity();
    } else {
      const { x, y, z } = plane.normal;
      const d = plane.constant;
      matrix.set(
        ...[1 - 2 * x * x, -2 * x * y, -2 * x * z, -2 * x * d],
        ...[-2 * x * y, 1 - 2 * y * y, -2 * y * z, -2 * y * d],
        ...[-2 * x * z, -2 * y * z, 1 - 2 * z * z, -2 * z * d],
        ...[0, 0, 0, 1],
      );
    }
    if (this.mirror !== null) this.mirror.mesh.visible = plane === null;
    if (this.#sky !== null) this.#sky.mesh.visible = plane === null;
    this.scene.updateMatrixWorld(true);
  }

  /** The material of a ghost; made when the first is drawn. */
  get ghostMaterial(): Material {
    this.#ghost ??= this.#materials.ghost(new Color(GHOST_COLOR));
    return this.#ghost;
  }

  /** Poses the scene once more: what is elsewhere than in `beside` is in the ghosts' layer, all else is not. */
  poseGhost(poses: Float32Array, beside: Float32Array): void {
    this.pose(poses);
    let moved = false;
    for (const [index, frame] of this.#frames.entries()) {
      const elsewhere = index > 0 && isElsewhere(poses, beside, index);
      moved ||= elsewhere;
      for (const child of frame.children) if (child instanceof Mesh) setGhost(child, elsewhere);
    }
    for (const skin of this.#skins) setGhost(skin, moved);
    for (const tendon of this.#tendons) setGhost(tendon.mesh, moved);
  }

  /** Draws these groups and no others from now on. */
  show(groups: ShownGroups): void {
    this.#drawables.show(groups);
  }

  /** Draws these contacts until others are given. @param contacts [n, 11]; null for none */
  touch(contacts: Float32Array | null): void {
    const looks = this.manifest.view.contacts;
    if (contacts !== null && looks !== undefined) {
      const material = (rgba: SceneGeom['rgba']) => this.#materials.materialOf(surface({ rgba, material: -1 }));
      const materials = { point: material(looks.pointRgba), force: material(looks.forceRgba) };
      this.#contacts ??= new ContactMarks(looks, materials, this.scene);
    }
    this.#contacts?.show(contacts);
  }

  /** Body and geom or site that an object of the scene stands for. */
  nameOf(object: Object3D): string | undefined {
    return this.#drawables.nameOf(object);
  }

  get choices(): ViewChoices {
    const { cameras, frames } = this.manifest;
    const bodies = frames.flatMap((frame, index) =>
      frame.kind === 'body' && index > 0 && frame.name !== '' ? [{ frame: index, name: frame.name }] : [],
    );
    return { cameras: cameras.map(({ name }, index) => (name === '' ? `camera ${index}` : name)), bodies };
  }

  /** Where the origin of a frame is; false if that is not known. */
  framePosition(frame: number, poses: Float32Array, out: Vector3): boolean {
    if (!readPose(poses, frame, row)) return false;
    out.copy(place);
    return true;
  }

  /** Whether the scene brings its own background. */
  get hasSky(): boolean {
    return this.#sky !== null;
  }

  /** Pose of a camera of the model under `poses`, as a matrix from its space to the world; null if it is not known. */
  cameraMatrix(index: number, poses: Float32Array, out: Matrix4): boolean {
    const camera = this.manifest.cameras[index];
    if (camera === undefined) return false;
    out.identity();
    if (camera.frame > 0) {
      if (!readPose(poses, camera.frame, row)) return false;
      out.compose(place, turn, unit);
    }
    const [w, x, y, z] = camera.quaternion;
    out.multiply(new Matrix4().compose(place.set(...camera.position), turn.set(x, y, z, w), unit));
    return true;
  }

  /** Centre and radius of the drawables on bodies, the world's own left out. */
  subject(poses: Float32Array): Subject {
    const center = new Vector3();
    const bodies = this.manifest.frames.flatMap((frame, index) =>
      frame.kind === 'body' && index > 0 && this.#drawables.reachOf(index) > 0 && (index - 1) * 7 < poses.length
        ? [index]
        : [],
    );
    for (const index of bodies) {
      readPose(poses, index, row);
      center.addScaledVector(place, 1 / bodies.length);
    }
    let radius = 0;
    for (const index of bodies) {
      readPose(poses, index, row);
      radius = Math.max(radius, place.distanceTo(center) + this.#drawables.reachOf(index));
    }
    return { center, radius };
  }

  /** Body that an object of the scene moves with, 0 for the world; -1 for what hangs on several. */
  bodyOf(object: Object3D): number {
    const index = this.#frames.indexOf(object.parent as Group);
    const frame = this.manifest.frames[index];
    return frame === undefined || frame.kind === 'body' ? index : frame.parent;
  }

  dispose(): void {
    this.#geometries.dispose();
    this.#materials.dispose();
    this.#rays?.dispose();
    this.#sky?.dispose();
    this.#contacts?.dispose();
    for (const skin of this.#skins) skin.geometry.dispose();
    for (const tendon of this.#tendons) tendon.dispose();
  }
}

/** What the material of a skin or tendon is made from: that of a mesh with the same colours. */
function surface({ rgba, material }: Pick<SceneGeom, 'rgba' | 'material'>): SceneGeom {
  const nowhere = { frame: 0, position: [0, 0, 0], quaternion: [1, 0, 0, 0] } as const;
  return { ...nowhere, id: -1, name: '', type: 'mesh', size: [1, 1, 1], group: 0, rgba, material };
}

function setGhost(object: Object3D, ghost: boolean): void {
  if (ghost) object.layers.enable(GHOST_LAYER);
  else object.layers.disable(GHOST_LAYER);
}

function isElsewhere(poses: Float32Array, beside: Float32Array, frame: number): boolean {
  const first = (frame - 1) * 7;
  for (let at = first; at < first + 7; at++) if (Math.abs(poses[at]! - beside[at]!) > ELSEWHERE) return true;
  return false;
}
