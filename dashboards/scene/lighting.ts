import { AmbientLight, Color, DirectionalLight, Group, SpotLight, type Object3D } from 'three';
import { highlightShare } from './light-shader.ts';
import type { SceneLight, SceneManifest, Vector3 } from './manifest.ts';

const SHADOW_MAP_SIZE = 2048;

/** The lights of a scene hang on their frames; the headlight is part of every material. */
export function addLights(manifest: SceneManifest, root: Object3D, frames: readonly Object3D[]): void {
  const { headlight } = manifest.view;
  const active = manifest.lights.filter((light) => light.active);
  const ambient = [...active.map((light) => light.ambient), ...(headlight.active ? [headlight.ambient] : [])];
  root.add(new AmbientLight(sum(ambient), 1));
  for (const light of active) {
    const made = modelLight(light, manifest);
    if (light.castShadow) addShadow(made, manifest);
    frames[light.frame]?.add(holder(light, made));
  }
}

/** The shader reads the exponent of a spot from before the point of `decay`, and the share of its highlights from behind. */
function modelLight(light: SceneLight, manifest: SceneManifest): DirectionalLight | SpotLight {
  if (light.kind === 'directional') return new DirectionalLight(color(light.diffuse), 1);
  const angle = (Math.min(light.cutoffDegrees, 90) * Math.PI) / 180;
  const decay = Math.round(light.exponent) + highlightShare(light) / 10;
  const spot = new SpotLight(color(light.diffuse), 1, 0, angle, 0, decay);
  spot.shadow.focus = manifest.view.shadowScale ?? 0.6;
  // Close planes: depths of a wide range are too coarse to tell a leg from the floor beneath it.
  spot.shadow.camera.near = 0.1 * manifest.view.extent;
  spot.shadow.camera.far = 30 * manifest.view.extent;
  return spot;
}

/** A light shines from its place towards -z of its frame. */
function holder(light: SceneLight, made: DirectionalLight | SpotLight): Object3D {
  const group = new Group();
  group.position.set(...light.position);
  const [w, x, y, z] = light.quaternion;
  group.quaternion.set(x, y, z, w);
  made.position.set(0, 0, 0);
  made.target.position.set(0, 0, -1);
  group.add(made, made.target);
  return group;
}

function addShadow(light: DirectionalLight | SpotLight, manifest: SceneManifest): void {
  const { extent, shadowClip = 1 } = manifest.view;
  light.castShadow = true;
  light.shadow.mapSize.set(SHADOW_MAP_SIZE, SHADOW_MAP_SIZE);
  light.shadow.bias = light instanceof SpotLight ? -0.0001 : -0.0005;
  light.shadow.normalBias = 0.002 * extent;
  if (light instanceof DirectionalLight) {
    const { camera } = light.shadow;
    camera.left = camera.bottom = -shadowClip * extent;
    camera.right = camera.top = shadowClip * extent;
    camera.near = 0;
    camera.far = 6 * extent;
  }
}

function color(rgb: Vector3): Color {
  return new Color(...rgb);
}

function sum(colors: readonly Vector3[]): Color {
  const total = new Color(0, 0, 0);
  for (const rgb of colors) total.add(color(rgb));
  if (colors.length === 0) total.setScalar(0.3);
  return total;
}
