import { Plane, Quaternion, Raycaster, Vector2, Vector3, type PerspectiveCamera } from 'three';
import type { SceneModel } from '../scene/scene-model.ts';

type Numbers = [number, number, number];

/** Where a body is held. */
export interface Grip {
  readonly body: number;
  /** In the body's own frame. */
  readonly point: Numbers;
  /** The body follows the pointer in this plane, which faces the camera. */
  readonly plane: Plane;
}

export interface Place {
  /** From -1 (left, lower edge) to 1. */
  readonly x: number;
  readonly y: number;
}

const caster = new Raycaster();

/** What is held at a place of a picture; null where it is nothing that can move. @param poses those that `model` has taken on */
export function gripAt(
  seen: { model: SceneModel; camera: PerspectiveCamera; poses: Float32Array },
  place: Place,
): Grip | null {
  const { model, camera, poses } = seen;
  caster.setFromCamera(new Vector2(place.x, place.y), camera);
  for (const { object, point } of caster.intersectObjects(model.scene.children)) {
    const body = object.visible && object.parent?.visible === true ? model.bodyOf(object) : -1;
    if (body < 0) continue;
    // The table is in the way.
    if (body === 0 || model.manifest.frames[body]?.fixed === true) return null;
    const { position, rotation } = poseOf(poses, body);
    const local = point.clone().sub(position).applyQuaternion(rotation.invert());
    const gaze = camera.getWorldDirection(new Vector3());
    return { body, point: local.toArray(), plane: new Plane().setFromNormalAndCoplanarPoint(gaze, point) };
  }
  return null;
}

/** Where in the picture the held point is now; null while it is behind the camera. */
export function heldAt(
  { camera, poses }: { readonly camera: PerspectiveCamera; readonly poses: Float32Array },
  { body, point }: Grip,
): Place | null {
  const { position, rotation } = poseOf(poses, body);
  const seen = new Vector3(...point).applyQuaternion(rotation).add(position).project(camera);
  return seen.z > 1 ? null : { x: seen.x, y: seen.y };
}

/** Rows of poses are position and quaternion (w, x, y, z); the world, body 0, has none. */
function poseOf(poses: Float32Array, body: number): { readonly position: Vector3; readonly rotation: Quaternion } {
  const first = (body - 1) * 7;
  const [w = 1, x = 0, y = 0, z = 0] = poses.subarray(first + 3, first + 7);
  return { position: new Vector3().fromArray(poses, first), rotation: new Quaternion(x, y, z, w) };
}

/** Where in the world a pointer pulls to; null if it points past the plane. */
export function targetAt(camera: PerspectiveCamera, { plane }: Grip, place: Place): Numbers | null {
  caster.setFromCamera(new Vector2(place.x, place.y), camera);
  return caster.ray.intersectPlane(plane, new Vector3())?.toArray() ?? null;
}
