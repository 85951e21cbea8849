import { Matrix4, PerspectiveCamera, Vector3 } from 'three';
import { parseManifest } from './manifest.ts';
import { MirrorPass } from './mirror.ts';
import { createRenderer } from './renderer.ts';
import { SceneModel } from './scene-model.ts';

export interface StillOptions {
  readonly manifest: unknown;
  readonly assets: ArrayBuffer;
  /** [rows, 7] of frames 1.. */
  readonly poses: Float32Array;
  /** Index of a camera of the model. */
  readonly camera: number;
}

export interface Still {
  /** Where the camera sees the origin of each frame: pixels from the upper left. Frame 0 is the world. */
  readonly origins: readonly (readonly [number, number])[];
}

/** One picture of one scene from a camera of the model, as it is: what golden images are compared with. */
export function drawStill(canvas: HTMLCanvasElement, options: StillOptions): Still {
  const manifest = parseManifest(options.manifest);
  const model = new SceneModel(manifest, options.assets);
  const camera = new PerspectiveCamera(
    manifest.cameras[options.camera]?.fovyDegrees,
    canvas.width / canvas.height,
    manifest.view.zNear * manifest.view.extent,
    manifest.view.zFar * manifest.view.extent,
  );
  const matrix = new Matrix4();
  if (!model.cameraMatrix(options.camera, options.poses, matrix)) throw new Error(`no camera ${options.camera}`);
  matrix.decompose(camera.position, camera.quaternion, new Vector3());
  camera.updateMatrixWorld();
  model.pose(options.poses);
  const renderer = createRenderer(canvas, { antialias: true, shadows: true });
  renderer.setClearColor(0x000000, 1);
  const mirror = new MirrorPass(renderer);
  mirror.draw(model, camera);
  renderer.render(model.scene, camera);
  const origins = manifest.frames.map((_, index): [number, number] => {
    const first = (index - 1) * 7;
    const place = index === 0 ? new Vector3() : new Vector3().fromArray(options.poses, first);
    place.project(camera);
    return [((place.x + 1) / 2) * canvas.width, ((1 - place.y) / 2) * canvas.height];
  });
  model.dispose();
  mirror.dispose();
  renderer.dispose();
  return { origins };
}
