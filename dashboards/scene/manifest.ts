/** The scene manifest as `sim_bridge/scene.py` writes it. Lengths in metres, quaternions (w, x, y, z), colours 0..1. */

export type Vector3 = readonly [number, number, number];
export type Quaternion = readonly [number, number, number, number];

/** What is less opaque than this MuJoCo takes for transparent. */
export const OPAQUE_ALPHA = 0.995;

/** An array inside the assets: little-endian, at a multiple of 4 bytes. */
export interface ArrayAddress {
  readonly type: 'float32' | 'int16' | 'uint8' | 'uint16' | 'uint32';
  readonly shape: readonly number[];
  readonly offset: number;
}

export type GeomType = 'plane' | 'heightField' | 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box' | 'mesh';

/** Frame 0 is the world; frame k is row k - 1 of the pose stream. */
export interface SceneFrame {
  readonly kind: 'body' | 'geom' | 'site' | 'light' | 'camera' | 'tendon' | 'ray';
  readonly name: string;
  readonly parent: number;
  /** A body that is welded to the world; left out elsewhere, and in older scenes. */
  readonly fixed?: boolean;
}

interface Placed {
  readonly frame: number;
  readonly position: Vector3;
  readonly quaternion: Quaternion;
}

export interface SceneGeom extends Placed {
  readonly id: number;
  readonly name: string;
  readonly type: GeomType;
  /** MuJoCo's `geom_size`: its meaning depends on the type. */
  readonly size: Vector3;
  readonly rgba: readonly [number, number, number, number];
  readonly group: number;
  /** Index into `materials`, -1 for none. */
  readonly material: number;
  readonly mesh?: number;
  readonly heightField?: number;
}

export interface SceneMesh {
  readonly name: string;
  readonly positions: ArrayAddress;
  readonly normals: ArrayAddress;
  readonly textureCoordinates: ArrayAddress | null;
  readonly indices: ArrayAddress;
}

/** A surface that bodies pull along: as it is when nothing is bent, and up to four bodies for each vertex. */
export interface SceneSkin {
  readonly name: string;
  readonly rgba: readonly [number, number, number, number];
  readonly material: number;
  readonly positions: ArrayAddress;
  readonly textureCoordinates: ArrayAddress | null;
  readonly indices: ArrayAddress;
  /** uint16 [vertices, 4]: indices into `bodies`. */
  readonly bones: ArrayAddress;
  readonly weights: ArrayAddress;
  /** Frame of each bone. */
  readonly bodies: readonly number[];
  readonly bindPositions: ArrayAddress;
  readonly bindQuaternions: ArrayAddress;
}

/** A line through frames `first` .. `first + count - 1`. */
export interface SceneTendon {
  readonly first: number;
  readonly count: number;
  /** Half its thickness. */
  readonly width: number;
  readonly rgba: readonly [number, number, number, number];
  readonly material: number;
  /** Length of a string that hangs while its two ends are closer together; 0 for a tendon that is always straight. */
  readonly hangingLength: number;
}

/** Lines of sensors that look for what is in front of them: from frame `first` + 2k to the one behind it. */
export interface SceneRays {
  readonly first: number;
  readonly count: number;
  readonly rgba: readonly [number, number, number, number];
}

export interface SceneHeightField {
  readonly name: string;
  /** Half x, half y, top, bottom. */
  readonly size: readonly [number, number, number, number];
  readonly heights: ArrayAddress;
}

export interface SceneMaterial {
  readonly name: string;
  readonly rgba: readonly [number, number, number, number];
  readonly emission: number;
  readonly specular: number;
  readonly shininess: number;
  readonly reflectance: number;
  /** Index into `textures`, -1 for none. */
  readonly texture: number;
  readonly textureRepeat: readonly [number, number];
  readonly textureUniform: boolean;
}

export interface SceneTexture {
  readonly name: string;
  readonly kind: '2d' | 'cube' | 'skybox';
  /** uint8 [faces, height, width, channels]; one face of a cube serves all six. */
  readonly pixels: ArrayAddress;
  /** If there, `pixels` are colours [n, channels] and this says how often each is repeated; `shape` is that of it all. */
  readonly runs?: ArrayAddress;
  readonly shape?: readonly number[];
  readonly mean: readonly number[];
}

/** Shines along -z of its frame. */
export interface SceneLight extends Placed {
  readonly kind: 'directional' | 'spot';
  readonly active: boolean;
  readonly castShadow: boolean;
  readonly ambient: Vector3;
  readonly diffuse: Vector3;
  readonly specular: Vector3;
  readonly attenuation: Vector3;
  readonly cutoffDegrees: number;
  readonly exponent: number;
}

/** Looks along -z of its frame, +y is up. */
export interface SceneCamera extends Placed {
  readonly name: string;
  readonly tracking: boolean;
  readonly fovyDegrees: number;
}

export interface SceneManifest {
  readonly format: 1;
  readonly frames: readonly SceneFrame[];
  readonly geoms: readonly SceneGeom[];
  readonly sites: readonly SceneGeom[];
  readonly meshes: readonly SceneMesh[];
  readonly heightFields: readonly SceneHeightField[];
  /** Missing in older scenes. */
  readonly skins?: readonly SceneSkin[];
  readonly tendons?: readonly SceneTendon[];
  readonly rays?: SceneRays;
  readonly materials: readonly SceneMaterial[];
  readonly textures: readonly SceneTexture[];
  readonly lights: readonly SceneLight[];
  readonly cameras: readonly SceneCamera[];
  readonly view: {
    readonly extent: number;
    readonly center: Vector3;
    readonly meanSize: number;
    readonly zNear: number;
    readonly zFar: number;
    /** Part of a spot light's cone that casts shadows; 0.6 in older scenes. */
    readonly shadowScale?: number;
    /** Half width of what a directional light casts shadows on, in extents; 1 in older scenes. */
    readonly shadowClip?: number;
    /** Index into `textures`, -1 for none. */
    readonly skybox?: number;
    /** How contacts are drawn; missing in older scenes. */
    readonly contacts?: {
      readonly pointRgba: readonly [number, number, number, number];
      readonly forceRgba: readonly [number, number, number, number];
      readonly pointRadius: number;
      readonly pointHalfHeight: number;
      readonly forceRadius: number;
      readonly metresPerNewton: number;
    };
    readonly headlight: {
      readonly active: boolean;
      readonly ambient: Vector3;
      readonly diffuse: Vector3;
      readonly specular: Vector3;
    };
  };
}

export type AssetArray = Float32Array | Int16Array | Uint8Array | Uint16Array | Uint32Array;

const CONSTRUCTORS = {
  float32: Float32Array,
  int16: Int16Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
} as const;

/** A view of one array; nothing is copied. @throws RangeError if it does not lie inside the assets */
export function assetArray(assets: ArrayBuffer, address: ArrayAddress): AssetArray {
  const count = address.shape.reduce((product, size) => product * size, 1);
  return new CONSTRUCTORS[address.type](assets, address.offset, count);
}

/** @throws Error naming the format if this page is too old or too new for it */
export function parseManifest(value: unknown): SceneManifest {
  const format = (value as { readonly format?: unknown } | null)?.format;
  if (format !== 1) throw new Error(`this page draws scenes of format 1, got ${String(format)}`);
  return value as SceneManifest;
}
