import { AmbientLight, Color, DirectionalLight, Group, SpotLight, type Object3D } from 'three';
import type { SceneLight, SceneManifest, Vector3 } from './manifest.ts';

/** three divides what falls on a matt surface by pi; MuJoCo does not. */
const UNIT = Math.PI;
const SHADOW_MAP_SIZE = 1024;

/** The lights of a scene: those of the model hang on their frames, the headlight follows whatever camera draws. */
export interface SceneLights {
  readonly headlight: DirectionalLight | null;
}

export function addLights(manifest: SceneManifest, root: Object3D, frames: readonly Object3D[]): SceneLights {
  const { headlight } = manifest.view;
  const active = manifest.lights.filter((light) => light.active);
  const ambient = [...active.map((light) => light.ambient), ...(headlight.active ? [headlight.ambient] : [])];
  root.add(new AmbientLight(sum(ambient), UNIT));
  let shadows = 0;
  for (const light of active) {
    const made = modelLight(light, manifest);
    // One shadow is enough to see what touches the ground; each costs another pass over the scene.
    if (light.castShadow && shadows === 0) {
      addShadow(made, manifest);
      shadows++;
    }
    frames[light.frame]?.add(holder(light, made));
  }
  if (!headlight.active) return { headlight: null };
  const eye = new DirectionalLight(color(headlight.diffuse), UNIT);
  root.add(eye, eye.target);
  return { headlight: eye };
}

function modelLight(light: SceneLight, manifest: SceneManifest): DirectionalLight | SpotLight {
  if (light.kind === 'directional') return new DirectionalLight(color(light.diffuse), UNIT);
  const angle = (Math.min(light.cutoffDegrees, 90) * Math.PI) / 180;
  const spot = new SpotLight(color(light.diffuse), UNIT, 0, angle, Math.min(1, light.exponent / 10), 0);
  spot.shadow.camera.near = 0.01 * manifest.view.extent;
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
  const { extent } = manifest.view;
  light.castShadow = true;
  light.shadow.mapSize.set(SHADOW_MAP_SIZE, SHADOW_MAP_SIZE);
  light.shadow.bias = -0.0005;
  light.shadow.normalBias = 0.002 * extent;
  light.shadow.intensity = 0.6;
  if (light instanceof DirectionalLight) {
    const { camera } = light.shadow;
    camera.left = camera.bottom = -extent;
    camera.right = camera.top = extent;
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
