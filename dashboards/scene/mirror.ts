import {
  Plane,
  Vector3,
  Vector4,
  WebGLRenderTarget,
  type Mesh,
  type PerspectiveCamera,
  type WebGLRenderer,
} from 'three';
import { OPAQUE_ALPHA, type SceneManifest } from './manifest.ts';
import type { SceneModel } from './scene-model.ts';

/** What the shaders of a scene know of its mirror; changed for each picture. */
export interface MirrorUniforms {
  /** How much of the light comes back; 0 unless it is the world behind the mirror that is being drawn. */
  readonly mirrored: { value: number };
  /** The mirror as the camera sees it: normal towards the camera, and the plane's constant. */
  readonly mirrorPlane: { readonly value: Vector4 };
  /** The picture of the world behind the mirror; null is black. */
  readonly mirrorImage: { value: unknown };
  /** Pixel of the canvas where the picture begins, and one by the size of the image. */
  readonly mirrorPlace: { readonly value: Vector4 };
}

/** The surface that shows the scene again: a plane, or the upper side of a box. */
export interface MirrorFace {
  readonly mesh: Mesh;
  readonly reflectance: number;
  /** Where on its z axis the surface is, before the mesh is stretched. */
  readonly height: number;
}

export function mirrorUniforms(): MirrorUniforms {
  return {
    mirrored: { value: 0 },
    mirrorPlane: { value: new Vector4() },
    mirrorImage: { value: null },
    mirrorPlace: { value: new Vector4() },
  };
}

/** MuJoCo has one mirror a scene: the first plane or box that reflects. Its place in `geoms`, -1 for none. */
export function mirrorOf({ geoms, materials }: SceneManifest): number {
  return geoms.findIndex(
    ({ type, group, rgba, material }) =>
      (type === 'plane' || type === 'box') &&
      group < 3 &&
      rgba[3] >= OPAQUE_ALPHA &&
      (materials[material]?.reflectance ?? 0) > 0,
  );
}

const plane = new Plane();
const normal = new Vector3();
const point = new Vector3();
const place = new Vector4();

/** Draws what the mirrors of scenes show, each before its scene. One image serves them all, in turn. */
export class MirrorPass {
  readonly #renderer: WebGLRenderer;
  readonly #image = new WebGLRenderTarget(1, 1, { samples: 4 });

  constructor(renderer: WebGLRenderer) {
    this.#renderer = renderer;
  }

  /** @param model posed, and about to be drawn from `camera` into the viewport that the renderer has now */
  draw(model: SceneModel, camera: PerspectiveCamera): void {
    const { mirror, light } = model;
    light.mirrorImage.value = null;
    if (mirror?.mesh.visible !== true) return;
    const { matrixWorld } = mirror.mesh;
    normal.setFromMatrixColumn(matrixWorld, 2).normalize();
    plane.setFromNormalAndCoplanarPoint(normal, point.set(0, 0, mirror.height).applyMatrix4(matrixWorld));
    if (plane.distanceToPoint(camera.position) <= 0) return;
    this.#fit(light);
    model.mirrorAt(plane);
    const { x, y, z } = plane.applyMatrix4(camera.matrixWorldInverse).normal;
    light.mirrorPlane.value.set(x, y, z, plane.constant);
    light.mirrored.value = mirror.reflectance;
    this.#render(model, camera);
    light.mirrored.value = 0;
    light.mirrorImage.value = this.#image.texture;
    model.mirrorAt(null);
  }

  dispose(): void {
    this.#image.dispose();
  }

  /** Takes as much of the image as the picture needs. */
  #fit({ mirrorPlace }: MirrorUniforms): void {
    const image = this.#image;
    // As three rounds it when it turns from the image back to the canvas.
    this.#renderer.getViewport(place).multiplyScalar(this.#renderer.getPixelRatio()).floor();
    const { x, y, z: width, w: height } = place;
    if (image.width < width || image.height < height) {
      image.setSize(Math.max(width, image.width), Math.max(height, image.height));
    }
    image.viewport.set(0, 0, width, height);
    mirrorPlace.value.set(x, y, 1 / image.width, 1 / image.height);
  }

  /** As MuJoCo, without shadows and on black. */
  #render({ scene }: SceneModel, camera: PerspectiveCamera): void {
    const renderer = this.#renderer;
    const { autoUpdate } = renderer.shadowMap;
    renderer.shadowMap.autoUpdate = false;
    const alpha = renderer.getClearAlpha();
    renderer.setRenderTarget(this.#image);
    renderer.setClearAlpha(0);
    renderer.clear();
    renderer.render(scene, camera);
    renderer.setRenderTarget(null);
    renderer.setClearAlpha(alpha);
    renderer.shadowMap.autoUpdate = autoUpdate;
  }
}
