import type { PerspectiveCamera, WebGLRenderer } from 'three';
import { GHOST_LAYER, type SceneModel } from './scene-model.ts';

/**
 * Draws a scene in other poses on top of the picture that is there, seen through. Only the surface nearest to the eye is
 * coloured: its depth is drawn first. Shadows stay those of the picture below.
 */
export function drawGhost(
  { renderer, model }: { readonly renderer: WebGLRenderer; readonly model: SceneModel },
  camera: PerspectiveCamera,
  { poses, beside }: { readonly poses: Float32Array; readonly beside: Float32Array },
): void {
  const { scene, ghostMaterial: material } = model;
  const { layers } = camera;
  const shadows = renderer.shadowMap.autoUpdate;
  model.poseGhost(poses, beside);
  renderer.shadowMap.autoUpdate = false;
  scene.overrideMaterial = material;
  const mask = layers.mask;
  layers.set(GHOST_LAYER);
  for (const colored of [false, true]) {
    material.colorWrite = colored;
    renderer.render(scene, camera);
  }
  layers.mask = mask;
  scene.overrideMaterial = null;
  renderer.shadowMap.autoUpdate = shadows;
}
