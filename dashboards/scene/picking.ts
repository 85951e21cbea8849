import { Raycaster, Vector2, type PerspectiveCamera } from 'three';
import type { SceneModel } from './scene-model.ts';

const caster = new Raycaster();
const point = new Vector2();

/**
 * What is seen at a place of a picture: body and geom by name, or null.
 * @param place from -1 (left, lower edge) to 1
 */
export function nameAt(
  model: SceneModel,
  camera: PerspectiveCamera,
  place: { readonly x: number; readonly y: number },
): string | null {
  caster.setFromCamera(point.set(place.x, place.y), camera);
  for (const { object } of caster.intersectObjects(model.scene.children)) {
    const name = object.visible && object.parent?.visible === true ? model.nameOf(object) : undefined;
    if (name !== undefined) return name;
  }
  return null;
}
