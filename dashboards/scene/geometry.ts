import {
  BoxGeometry,
  BufferAttribute,
  BufferGeometry,
  CapsuleGeometry,
  CylinderGeometry,
  PlaneGeometry,
  SphereGeometry,
} from 'three';
import { assetArray, type SceneGeom, type SceneHeightField, type SceneManifest, type SceneMesh } from './manifest.ts';

/** Half length of a plane that has no end: further away than anything is told apart. */
const ENDLESS_EXTENTS = 60;

/**
 * Geometries of one scene, each made once. MuJoCo's cylinders and capsules point along z, those of three along y. Unit
 * shapes are stretched by the mesh that uses them; only capsules and planes have their size built in.
 */
export class GeometryCache {
  readonly #manifest: SceneManifest;
  readonly #assets: ArrayBuffer;
  readonly #made = new Map<string, BufferGeometry>();

  constructor(manifest: SceneManifest, assets: ArrayBuffer) {
    this.#manifest = manifest;
    this.#assets = assets;
  }

  geometryOf(geom: SceneGeom): BufferGeometry {
    const key = this.#key(geom);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const geometry = this.#make(geom);
    this.#made.set(key, geometry);
    return geometry;
  }

  dispose(): void {
    for (const geometry of this.#made.values()) geometry.dispose();
    this.#made.clear();
  }

  #key(geom: SceneGeom): string {
    switch (geom.type) {
      case 'mesh':
        return `mesh ${geom.mesh ?? -1}`;
      case 'heightField':
        return `heightField ${geom.heightField ?? -1}`;
      case 'capsule':
      case 'plane':
        return `${geom.type} ${geom.size.join(' ')} ${geom.material}`;
      case 'sphere':
      case 'ellipsoid':
      case 'cylinder':
      case 'box':
        return geom.type;
    }
  }

  #make(geom: SceneGeom): BufferGeometry {
    switch (geom.type) {
      case 'plane':
        return this.#plane(geom);
      case 'heightField':
        return heightFieldGeometry(this.#manifest.heightFields[geom.heightField ?? -1]!, this.#assets);
      case 'sphere':
      case 'ellipsoid':
        return new SphereGeometry(1, 32, 20).rotateX(Math.PI / 2);
      case 'capsule':
        return new CapsuleGeometry(geom.size[0], 2 * geom.size[1], 10, 24).rotateX(Math.PI / 2);
      case 'cylinder':
        return new CylinderGeometry(1, 1, 2, 32).rotateX(Math.PI / 2);
      case 'box':
        return new BoxGeometry(2, 2, 2);
      case 'mesh':
        return meshGeometry(this.#manifest.meshes[geom.mesh ?? -1]!, this.#assets);
    }
  }

  /** Texture coordinates count images: a whole number of them over the plane, or one per 2 / repeat metres. */
  #plane(geom: SceneGeom): BufferGeometry {
    const endless = this.#manifest.view.extent * ENDLESS_EXTENTS;
    const halves = [geom.size[0], geom.size[1]].map((half) => (half > 0 ? half : endless)) as [number, number];
    const geometry = new PlaneGeometry(2 * halves[0], 2 * halves[1]);
    const material = this.#manifest.materials[geom.material];
    const repeat = material?.textureRepeat ?? [1, 1];
    const perMetre = ([0, 1] as const).map((axis) => {
      const uniform = material?.textureUniform === true || geom.size[axis] <= 0;
      return (0.5 * repeat[axis]) / (uniform ? 1 : halves[axis]);
    }) as [number, number];
    const positions = geometry.getAttribute('position');
    const coordinates = geometry.getAttribute('uv');
    for (let index = 0; index < positions.count; index++) {
      coordinates.setXY(index, perMetre[0] * positions.getX(index) - 0.5, -perMetre[1] * positions.getY(index) - 0.5);
    }
    return geometry;
  }
}

/** How far a geom stretches its geometry along x, y, z. */
export function stretchOf(geom: SceneGeom): [number, number, number] {
  const [a, b, c] = geom.size;
  switch (geom.type) {
    case 'sphere':
      return [a, a, a];
    case 'ellipsoid':
    case 'box':
      return [a, b, c];
    case 'cylinder':
      return [a, a, b];
    case 'plane':
    case 'heightField':
    case 'capsule':
    case 'mesh':
      return [1, 1, 1];
  }
}

/** Radius of a sphere around the geom's own origin that holds it; 0 for what has no end. */
export function reachOf(geom: SceneGeom, geometry: BufferGeometry): number {
  if (geom.type === 'plane' || geom.type === 'heightField') return 0;
  geometry.computeBoundingSphere();
  const sphere = geometry.boundingSphere;
  if (sphere === null) return 0;
  return (sphere.center.length() + sphere.radius) * Math.max(...stretchOf(geom));
}

function meshGeometry(mesh: SceneMesh, assets: ArrayBuffer): BufferGeometry {
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(assetArray(assets, mesh.positions), 3));
  geometry.setAttribute('normal', new BufferAttribute(assetArray(assets, mesh.normals), 3, true));
  if (mesh.textureCoordinates !== null) {
    geometry.setAttribute('uv', new BufferAttribute(assetArray(assets, mesh.textureCoordinates), 2));
  }
  geometry.setIndex(new BufferAttribute(assetArray(assets, mesh.indices), 1));
  return geometry;
}

/** A solid of flat faces, as MuJoCo draws it: each square of the surface as two triangles, four sides, a bottom. */
function heightFieldGeometry(field: SceneHeightField, assets: ArrayBuffer): BufferGeometry {
  const heights = assetArray(assets, field.heights);
  const [rows, columns] = field.heights.shape as [number, number];
  const [halfX, halfY, top, bottom] = field.size;
  const positions: number[] = [];
  type Corner = readonly [row: number, column: number, z?: number];
  const add = (...corners: readonly Corner[]): void => {
    for (const [row, column, z = top * heights[row * columns + column]!] of corners) {
      positions.push(halfX * ((2 * column) / (columns - 1) - 1), halfY * ((2 * row) / (rows - 1) - 1), z);
    }
  };
  const side = (a: Corner, b: Corner): void => {
    const [lowA, lowB]: Corner[] = [a, b].map(([row, column]) => [row, column, -bottom] as const);
    add(lowA!, lowB!, b, lowA!, b, a);
  };
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const [near, far]: Corner[] = [
        [row, column],
        [row + 1, column + 1],
      ];
      add(near!, far!, [row + 1, column], near!, [row, column + 1], far!);
    }
    side([row + 1, 0], [row, 0]);
    side([row, columns - 1], [row + 1, columns - 1]);
  }
  for (let column = 0; column + 1 < columns; column++) {
    side([0, column], [0, column + 1]);
    side([rows - 1, column + 1], [rows - 1, column]);
  }
  const [first, last] = [0, columns - 1];
  const low = (row: number, column: number): Corner => [row, column, -bottom];
  add(low(0, first), low(rows - 1, last), low(0, last), low(0, first), low(rows - 1, first), low(rows - 1, last));
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(Float32Array.from(positions), 3));
  // Of corners that no two triangles share, these are the normals of the faces.
  geometry.computeVertexNormals();
  return geometry;
}
