import { Matrix4, PerspectiveCamera, Vector3 } from 'three';
import { domainOf } from '../../protocol/task.ts';
import type { SceneModel } from './scene-model.ts';

/** Where an environment is seen from while nobody has moved its camera. */
type HomeView =
  /** A camera of the model, moved closer where the subject would be a speck. */
  | { readonly kind: 'camera'; readonly index: number }
  | { readonly kind: 'fixed'; readonly eye: Vector3; readonly target: Vector3; readonly fovDegrees: number };

interface Orbit {
  readonly target: Vector3;
  azimuth: number;
  elevation: number;
  distance: number;
  /** Where the subject was when the target was set; null if the view does not follow it. */
  readonly anchor: Vector3 | null;
}

const SMALLEST_SUBJECT = 0.13;
const WANTED_SUBJECT = 0.24;
const HIGHEST = 1.5;
const RADIANS_PER_PIXEL = 0.008;

/** The camera of one tile: the home view until it is dragged, an orbit about the subject from then on. */
export class ViewRig {
  readonly camera = new PerspectiveCamera(45, 4 / 3, 0.01, 100);
  readonly #home: HomeView;
  #orbit: Orbit | null = null;
  #camera: number | null = null;
  #follow = 0;
  #pending: ((orbit: Orbit) => void)[] = [];
  /** Rises whenever a person moved the camera. */
  version = 0;

  constructor(task: string, model: SceneModel) {
    this.#home = homeView(task, model);
    this.camera.up.set(0, 0, 1);
    const { extent, zNear, zFar } = model.manifest.view;
    this.camera.near = Math.max(0.005, zNear * extent);
    this.camera.far = zFar * extent;
  }

  /** Drag by so many pixels. */
  orbitBy(deltaX: number, deltaY: number): void {
    this.#move((orbit) => {
      orbit.azimuth -= deltaX * RADIANS_PER_PIXEL;
      orbit.elevation = Math.min(HIGHEST, Math.max(-0.2, orbit.elevation + deltaY * RADIANS_PER_PIXEL));
    });
  }

  /** @param factor below 1 comes closer */
  zoomBy(factor: number): void {
    this.#move((orbit) => (orbit.distance = Math.min(200, Math.max(0.1, orbit.distance * factor))));
  }

  /** Camera of the model, null for the free one; and the frame that the free one follows, 0 for none. */
  get seat(): { readonly camera: number | null; readonly follow: number } {
    return { camera: this.#camera, follow: this.#follow };
  }

  /** Sees through a camera of the model; null goes back to the free one. */
  useCamera(index: number | null): void {
    this.reset();
    this.#camera = index;
  }

  /** Keeps a body in the middle, seen from where the camera is now. @param frame 0 lets go */
  follow(frame: number): void {
    this.#follow = frame;
    this.#move(() => undefined);
  }

  reset(): void {
    this.#orbit = null;
    this.#camera = null;
    this.#follow = 0;
    this.#pending = [];
    this.version++;
  }

  /** The orbit as numbers with commas between; empty for the home view. */
  view(): string {
    const orbit = this.#orbit;
    if (orbit === null) return this.#camera === null ? '' : `@${this.#camera}`;
    const followed = this.#follow === 0 ? '' : `~${this.#follow}`;
    const { azimuth, elevation, distance, target, anchor } = orbit;
    const numbers = [azimuth, elevation, distance, ...target, ...(anchor ?? [])];
    return `${numbers.map((each) => Number(each.toFixed(4))).join(',')}${followed}`;
  }

  /** @param view as `view` gives it; anything else is ignored */
  lookAs(view: string): void {
    if (/^@\d{1,4}$/.test(view)) this.useCamera(Number(view.slice(1)));
    const [place = '', followed = '0'] = view.split('~', 2);
    const [azimuth = NaN, elevation = NaN, distance = NaN, ...rest] = place.split(',').map(Number);
    const points = rest.length === 3 || rest.length === 6;
    if (view === '' || !points || ![azimuth, elevation, distance, ...rest].every(Number.isFinite)) return;
    this.#orbit = {
      ...{ azimuth, elevation, distance },
      target: new Vector3().fromArray(rest),
      anchor: rest.length === 6 ? new Vector3().fromArray(rest, 3) : null,
    };
    this.#follow = /^\d{1,5}$/.test(followed) ? Number(followed) : 0;
    this.version++;
  }

  update(model: SceneModel, poses: Float32Array, aspect: number): void {
    if (this.#pending.length > 0) {
      this.#orbit ??= this.#orbitFromHere(model, poses);
      this.#camera = null;
      for (const change of this.#pending) change(this.#orbit);
      this.#pending = [];
    }
    if (this.#orbit !== null) this.#placeOrbit(this.#orbit, model, poses);
    else if (this.#camera === null || !this.#placeCamera(this.#camera, model, poses)) this.#placeHome(model, poses);
    this.camera.aspect = aspect;
    this.camera.updateProjectionMatrix();
    this.camera.updateMatrixWorld();
  }

  /** Takes effect at the next update, when the poses are at hand. */
  #move(change: (orbit: Orbit) => void): void {
    this.#pending.push(change);
    this.version++;
  }

  /** A camera of the model as it is. */
  #placeCamera(index: number, model: SceneModel, poses: Float32Array): boolean {
    const matrix = new Matrix4();
    if (!model.cameraMatrix(index, poses, matrix)) return false;
    matrix.decompose(this.camera.position, this.camera.quaternion, new Vector3());
    this.camera.fov = model.manifest.cameras[index]?.fovyDegrees ?? 45;
    return true;
  }

  #placeHome(model: SceneModel, poses: Float32Array): void {
    const { camera } = this;
    if (this.#home.kind === 'fixed') {
      camera.fov = this.#home.fovDegrees;
      camera.position.copy(this.#home.eye);
      camera.lookAt(this.#home.target);
      return;
    }
    const matrix = new Matrix4();
    if (!model.cameraMatrix(this.#home.index, poses, matrix)) return;
    matrix.decompose(camera.position, camera.quaternion, new Vector3());
    camera.fov = model.manifest.cameras[this.#home.index]?.fovyDegrees ?? 45;
    const { center, radius } = model.subject(poses);
    const distance = camera.position.distanceTo(center);
    const apparent = radius / (distance * Math.tan((camera.fov * Math.PI) / 360));
    if (radius > 0 && apparent < 2 * SMALLEST_SUBJECT) {
      const closer = distance * (1 - apparent / (2 * WANTED_SUBJECT));
      camera.position.addScaledVector(camera.getWorldDirection(new Vector3()), closer);
    }
  }

  #placeOrbit(orbit: Orbit, model: SceneModel, poses: Float32Array): void {
    const target = orbit.target.clone();
    const followed = this.#follow > 0 && model.framePosition(this.#follow, poses, target);
    if (orbit.anchor !== null && !followed) {
      const { center } = model.subject(poses);
      target.x += center.x - orbit.anchor.x;
      target.y += center.y - orbit.anchor.y;
    }
    this.camera.position.copy(target).addScaledVector(direction(orbit), orbit.distance);
    this.camera.lookAt(target);
    this.camera.fov = this.#orbitFov(model);
  }

  /** Of every orbit, wherever it began: an address says nothing of it. Degrees. */
  #orbitFov(model: SceneModel): number {
    if (this.#home.kind === 'fixed') return this.#home.fovDegrees;
    return model.manifest.cameras[this.#home.index]?.fovyDegrees ?? 45;
  }

  /** Continues from the present picture: the orbit's target is the point of the gaze nearest to the subject. */
  #orbitFromHere(model: SceneModel, poses: Float32Array): Orbit {
    const { position } = this.camera;
    const gaze = this.camera.getWorldDirection(new Vector3());
    const { center } = model.subject(poses);
    const aim = this.#home.kind === 'fixed' ? this.#home.target : center;
    const distance = Math.max(0.2, aim.clone().sub(position).dot(gaze));
    // As large as it is now, though the camera it is seen through may have another field of view.
    const opening = (degrees: number): number => Math.tan((degrees * Math.PI) / 360);
    const zoom = opening(this.camera.fov) / opening(this.#orbitFov(model));
    const tracking = model.manifest.cameras.some((camera) => camera.tracking);
    return {
      target: position.clone().addScaledVector(gaze, distance),
      azimuth: Math.atan2(-gaze.y, -gaze.x),
      elevation: Math.min(HIGHEST, Math.asin(-gaze.z)),
      distance: distance * zoom,
      anchor: tracking ? center.clone() : null,
    };
  }
}

function direction({ azimuth, elevation }: Orbit): Vector3 {
  const flat = Math.cos(elevation);
  return new Vector3(flat * Math.cos(azimuth), flat * Math.sin(azimuth), Math.sin(elevation));
}

function homeView(task: string, model: SceneModel): HomeView {
  // Meta-World's own cameras stand on their heads; this one looks at the table from the front, over the gripper.
  if (domainOf(task) === 'metaworld') {
    return { kind: 'fixed', eye: new Vector3(1.05, 1.5, 0.95), target: new Vector3(0, 0.5, 0.2), fovDegrees: 42 };
  }
  if (model.manifest.cameras.length > 0) return { kind: 'camera', index: 0 };
  const { center, extent } = model.manifest.view;
  const target = new Vector3(...center);
  return {
    kind: 'fixed',
    target,
    eye: new Vector3(1, -1.2, 0.8).multiplyScalar(1.1 * extent).add(target),
    fovDegrees: 45,
  };
}
