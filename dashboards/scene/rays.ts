import { BufferAttribute, BufferGeometry, DoubleSide, Mesh, ShaderMaterial, Vector2, Vector4 } from 'three';
import type { SceneRays } from './manifest.ts';

/** As wide as MuJoCo draws them. */
const WIDTH_PIXELS = 3;

// WebGL draws lines one pixel wide, so each is a ribbon across the gaze. What lies behind the camera is cut off first:
// divided by its negative depth it would be on the other side of the picture.
const VERTEX = /* glsl */ `
attribute vec4 other;
uniform vec2 pixel;
vec4 seen(vec3 place, vec3 towards) {
  vec4 here = modelViewMatrix * vec4(place, 1.0);
  vec4 there = modelViewMatrix * vec4(towards, 1.0);
  if (here.z > -1e-3 && there.z < here.z) here = mix(here, there, (here.z + 1e-3) / (here.z - there.z));
  return projectionMatrix * here;
}
void main() {
  vec4 here = seen(position, other.xyz);
  vec4 there = seen(other.xyz, position);
  vec2 along = (there.xy / there.w - here.xy / here.w) / pixel;
  vec2 across = length(along) > 0.0 ? normalize(vec2(-along.y, along.x)) : vec2(0.0);
  gl_Position = here + vec4(across * pixel * other.w * here.w, 0.0, 0.0);
}`;

const FRAGMENT = /* glsl */ `
uniform vec4 rgba;
uniform float mirrored;
void main() {
  gl_FragColor = vec4(rgba.rgb * (mirrored > 0.0 ? mirrored : 1.0), rgba.a);
}`;

const viewport = new Vector4();

/** What rangefinders see: lines without light or shadow, of the same width however far away. */
export class RayLines {
  readonly mesh: Mesh<BufferGeometry, ShaderMaterial>;
  readonly #rays: SceneRays;

  /** @param mirrored shared with all materials of the scene */
  constructor(rays: SceneRays, mirrored: { readonly value: number }) {
    this.#rays = rays;
    const [red, green, blue, alpha] = rays.rgba;
    const pixel = new Vector2();
    const material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      // Twice, as all that is transparent.
      uniforms: { rgba: { value: [red, green, blue, 1 - (1 - alpha) ** 2] }, pixel: { value: pixel }, mirrored },
      side: DoubleSide,
      transparent: true,
      depthWrite: false,
    });
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new BufferAttribute(new Float32Array(rays.count * 12), 3));
    geometry.setAttribute('other', new BufferAttribute(new Float32Array(rays.count * 16), 4));
    const corners = Array.from({ length: rays.count }, (_, ray) =>
      [0, 1, 2, 2, 1, 3].map((corner) => 4 * ray + corner),
    );
    geometry.setIndex(corners.flat());
    this.mesh = new Mesh(geometry, material);
    this.mesh.frustumCulled = false;
    this.mesh.raycast = () => undefined;
    this.mesh.onBeforeRender = (renderer) => {
      renderer.getCurrentViewport(viewport);
      pixel.set(1 / viewport.z, 1 / viewport.w).multiplyScalar(2 * renderer.getPixelRatio());
    };
  }

  /** @param poses [rows, 7] of frames 1.. */
  follow(poses: Float32Array): void {
    const { first, count } = this.#rays;
    this.mesh.visible = (first + 2 * count - 1) * 7 <= poses.length;
    if (!this.mesh.visible) return;
    const { position, other } = this.mesh.geometry.attributes;
    if (position === undefined || other === undefined) return;
    for (let corner = 0; corner < 4 * count; corner++) {
      const near = corner % 4 < 2;
      const side = (corner % 2 === 0) === near ? 1 : -1;
      const start = (first - 1 + 2 * Math.floor(corner / 4)) * 7;
      const [own, far] = near ? [start, start + 7] : [start + 7, start];
      position.setXYZ(corner, poses[own]!, poses[own + 1]!, poses[own + 2]!);
      other.setXYZW(corner, poses[far]!, poses[far + 1]!, poses[far + 2]!, (side * WIDTH_PIXELS) / 2);
    }
    position.needsUpdate = other.needsUpdate = true;
  }

  dispose(): void {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}
