import { BackSide, BoxGeometry, Mesh, ShaderMaterial, type Object3D } from 'three';
import type { SceneManifest } from './manifest.ts';
import { cubeTexture, facesOf } from './materials.ts';

const VERTEX = /* glsl */ `
varying vec3 vDirection;
void main() {
  vDirection = position;
  gl_Position = (projectionMatrix * vec4(mat3(viewMatrix) * position, 1.0)).xyww;
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
  dispose(): void;
}

/** Adds the sky of a scene, if it has one, infinitely far away. */
export function addSky(manifest: SceneManifest, assets: ArrayBuffer, root: Object3D): Sky | null {
  const source = manifest.textures[manifest.view.skybox ?? -1];
  if (source === undefined) return null;
  const texture = cubeTexture(facesOf(source, assets));
  const geometry = new BoxGeometry(2, 2, 2);
  const material = new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    uniforms: { sky: { value: texture } },
    side: BackSide,
    depthWrite: false,
  });
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  mesh.renderOrder = -1;
  root.add(mesh);
  return {
    dispose: () => {
      geometry.dispose();
      material.dispose();
      texture.dispose();
    },
  };
}
