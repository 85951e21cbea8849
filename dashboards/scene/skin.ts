import {
  BufferAttribute,
  BufferGeometry,
  Matrix4,
  Quaternion,
  Skeleton,
  SkinnedMesh,
  Vector3,
  type Bone,
  type Material,
  type Object3D,
} from 'three';
import { assetArray, type SceneSkin } from './manifest.ts';

interface SkinOptions {
  readonly material: Material;
  readonly frames: readonly Object3D[];
}

/** A skin whose bones are the frames of its bodies, so that posing those bends it. */
export function skinMesh(skin: SceneSkin, assets: ArrayBuffer, { material, frames }: SkinOptions): SkinnedMesh {
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(assetArray(assets, skin.positions), 3));
  if (skin.textureCoordinates !== null) {
    geometry.setAttribute('uv', new BufferAttribute(assetArray(assets, skin.textureCoordinates), 2));
  }
  geometry.setAttribute('skinIndex', new BufferAttribute(assetArray(assets, skin.bones), 4));
  geometry.setAttribute('skinWeight', new BufferAttribute(assetArray(assets, skin.weights), 4));
  geometry.setIndex(new BufferAttribute(assetArray(assets, skin.indices), 1));
  geometry.computeVertexNormals();
  const positions = assetArray(assets, skin.bindPositions);
  const quaternions = assetArray(assets, skin.bindQuaternions);
  const inverses = skin.bodies.map((_, bone) => {
    const [w, x, y, z] = quaternions.subarray(4 * bone, 4 * bone + 4);
    const place = new Vector3().fromArray(positions, 3 * bone);
    return new Matrix4().compose(place, new Quaternion(x, y, z, w), new Vector3(1, 1, 1)).invert();
  });
  const mesh = new SkinnedMesh(geometry, material);
  // three asks of a bone only where it is in the world.
  const bones = skin.bodies.map((body) => frames[body] as Bone);
  mesh.bind(new Skeleton(bones, inverses), new Matrix4());
  mesh.frustumCulled = false;
  mesh.castShadow = true;
  mesh.receiveShadow = true;
  return mesh;
}
