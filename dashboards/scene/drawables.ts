import { Mesh, type Group, type Object3D } from 'three';
import { reachOf, stretchOf, type GeometryCache } from './geometry.ts';
import { OPAQUE_ALPHA, type SceneGeom, type SceneManifest } from './manifest.ts';
import type { MaterialCache } from './materials.ts';
import { mirrorOf, type MirrorFace } from './mirror.ts';
import { FIRST_GROUPS, GROUP_COUNT, type ShownGroups } from './view-settings.ts';

const FIRST_HIDDEN = 3;

export interface DrawableParts {
  readonly manifest: SceneManifest;
  readonly geometries: GeometryCache;
  readonly materials: MaterialCache;
  /** One a frame of the manifest. */
  readonly frames: readonly Group[];
}

/** Geoms and sites of one scene, inside the groups of their frames; those of a group that nobody has asked for are not made. */
export class Drawables {
  readonly #parts: DrawableParts;
  readonly #groups: Record<keyof ShownGroups, (Mesh[] | undefined)[]> = { geoms: [], sites: [] };
  readonly #names = new Map<Object3D, string>();
  readonly #reach: number[];
  #shown = FIRST_GROUPS;
  #mirror: MirrorFace | null = null;

  constructor(parts: DrawableParts) {
    this.#parts = parts;
    this.#reach = parts.frames.map(() => 0);
    this.#makeGroups(FIRST_GROUPS);
  }

  /** The one surface that shows the scene again, if there is one. */
  get mirror(): MirrorFace | null {
    return this.#mirror;
  }

  /** Draws these groups and no others from now on. */
  show(groups: ShownGroups): void {
    if (groups.geoms === this.#shown.geoms && groups.sites === this.#shown.sites) return;
    this.#shown = groups;
    this.#makeGroups(groups);
    for (const kind of ['geoms', 'sites'] as const) {
      for (const [group, meshes] of this.#groups[kind].entries()) {
        for (const mesh of meshes ?? []) mesh.visible = ((groups[kind] >> group) & 1) === 1;
      }
    }
  }

  /** Body and geom or site that an object of the scene stands for. */
  nameOf(object: Object3D): string | undefined {
    return this.#names.get(object);
  }

  /** Metres that the drawables of a frame reach from its origin; 0 where there are none. */
  reachOf(frame: number): number {
    return this.#reach[frame] ?? 0;
  }

  #makeGroups(groups: ShownGroups): void {
    for (const kind of ['geoms', 'sites'] as const) {
      for (let group = 0; group < GROUP_COUNT; group++) {
        if (((groups[kind] >> group) & 1) === 0 || this.#groups[kind][group] !== undefined) continue;
        const members = this.#parts.manifest[kind].filter((each) => each.group === group);
        this.#groups[kind][group] = members.flatMap((each) => this.#add(each) ?? []);
      }
    }
  }

  #add(geom: SceneGeom): Mesh | undefined {
    const { manifest, geometries, materials, frames } = this.#parts;
    const frame = frames[geom.frame];
    if (frame === undefined) return undefined;
    const geometry = geometries.geometryOf(geom);
    const mirror = geom === manifest.geoms[mirrorOf(manifest)];
    const mesh = new Mesh(geometry, materials.materialOf(geom, mirror));
    if (mirror) {
      const { reflectance } = manifest.materials[geom.material]!;
      this.#mirror = { mesh, reflectance, height: geom.type === 'box' ? 1 : 0 };
    }
    mesh.position.set(...geom.position);
    const [w, x, y, z] = geom.quaternion;
    mesh.quaternion.set(x, y, z, w);
    mesh.scale.set(...stretchOf(geom));
    mesh.updateMatrix();
    mesh.matrixAutoUpdate = false;
    // What is seen through casts shadows as all else does, but shows none.
    mesh.castShadow = geom.type !== 'plane';
    mesh.receiveShadow = geom.rgba[3] >= OPAQUE_ALPHA;
    frame.add(mesh);
    this.#names.set(mesh, nameIn(manifest, geom));
    const reach = geom.group < FIRST_HIDDEN ? reachOf(geom, geometry) : 0;
    this.#reach[geom.frame] = Math.max(this.#reach[geom.frame]!, reach > 0 ? mesh.position.length() + reach : 0);
    return mesh;
  }
}

function nameIn({ frames }: SceneManifest, { frame, name }: SceneGeom): string {
  const own = frames[frame];
  const body = own?.kind === 'body' ? own : frames[own?.parent ?? 0];
  const names = new Set([body?.name ?? '', name].filter((each) => each !== ''));
  return [...names].join(' \u00b7 ') || 'without a name';
}
