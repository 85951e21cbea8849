import { BufferAttribute, BufferGeometry, Mesh, ShaderMaterial, type Object3D } from 'three';
import type { SceneManifest } from './manifest.ts';
import { cubeTexture, facesOf } from './materials.ts';

// One triangle over the whole picture, at its far end; each corner knows which way the camera looks there. A box around
// the camera would have corners beside it, and software renderers draw nothing of a triangle whose corner lies exactly
// in the camera's plane.
const VERTEX = /* glsl */ `
varying vec3 vDirection;
void main() {
  vec3 gaze = vec3(position.x / projectionMatrix[0][0], position.y / projectionMatrix[1][1], -1.0);
  vDirection = transpose(mat3(viewMatrix)) * gaze;
  gl_Position = vec4(position.xy, 1.0, 1.0);
}`;

// MuJoCo turns its sky by a quarter about x: cube textures have y up, worlds have z up.
const FRAGMENT = /* glsl */ `
uniform samplerCube sky;
varying vec3 vDirection;
void main() {
  gl_FragColor = vec4(textureCube(sky, vec3(vDirection.x, vDirection.z, -vDirection.y)).rgb, 1.0);
}`;

/** The background of a scene. */
export interface Sky {
  readonly mesh: Object3D;
  dispose(): void;
}

/** Adds the sky of a scene, if it has one, infinitely far away. */
export function addSky(manifest: SceneManifest, assets: ArrayBuffer, root: Object3D): Sky | null {
  const source = manifest.textures[manifest.view.skybox ?? -1];
  if (source === undefined) return null;
  const texture = cubeTexture(facesOf(source, assets));
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(Float32Array.of(-1, -1, 0, 3, -1, 0, -1, 3, 0), 3));
  const material = new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    uniforms: { sky: { value: texture } },
    depthWrite: false,
  });
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  mesh.renderOrder = -1;
  root.add(mesh);
  return {
    mesh,
    dispose: () => {
      geometry.dispose();
      material.dispose();
      texture.dispose();
    },
  };
}
