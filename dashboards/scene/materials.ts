import {
  Color,
  CubeTexture,
  DataTexture,
  DoubleSide,
  FrontSide,
  LinearFilter,
  LinearMipmapLinearFilter,
  MeshPhongMaterial,
  RepeatWrapping,
  RGBAFormat,
  Vector3,
  type Texture,
  type WebGLProgramParametersWithUniforms,
} from 'three';
import { assetArray, OPAQUE_ALPHA, type SceneGeom, type SceneManifest, type SceneTexture } from './manifest.ts';
import { lightAsMuJoCo, lightUniforms, type LightUniforms } from './light-shader.ts';
import { stretchOf } from './geometry.ts';

/** What MuJoCo takes where a geom has no material. */
const PLAIN = { emission: 0, specular: 0.5, shininess: 0.5 };
const GHOST_ALPHA = 0.5;

/** Materials and textures of one scene, each made once. Colours are taken as they are: MuJoCo draws without gamma. */
export class MaterialCache {
  readonly #manifest: SceneManifest;
  readonly #assets: ArrayBuffer;
  /** Shared by all materials. */
  readonly light: LightUniforms;
  readonly #materials = new Map<string, MeshPhongMaterial>();
  readonly #textures = new Map<number, Texture>();

  constructor(manifest: SceneManifest, assets: ArrayBuffer) {
    this.#manifest = manifest;
    this.#assets = assets;
    this.light = lightUniforms(manifest);
  }

  /** @param mirror whether it shows the world behind the scene's mirror; one geom a scene does */
  materialOf(geom: SceneGeom, mirror = false): MeshPhongMaterial {
    const source = this.#manifest.materials[geom.material];
    const texture = this.#manifest.textures[source?.texture ?? -1];
    const cube = texture?.kind === 'cube';
    const stretch = cube ? stretchOf(geom).join(' ') : '';
    const key = `${geom.rgba.join(' ')} ${geom.material} ${geom.type === 'plane' ? 'plane' : ''} ${stretch}${mirror ? ' mirror' : ''}`;
    const known = this.#materials.get(key);
    if (known !== undefined) return known;
    const material = this.#make(geom, mirror);
    this.#materials.set(key, material);
    return material;
  }

  /** Lit as all else, but of one colour and seen through: for a second picture on top of the first. */
  ghost(color: Color): MeshPhongMaterial {
    const material = new MeshPhongMaterial({ color, specular: 0x222222, transparent: true, opacity: GHOST_ALPHA });
    // Where both are in the same place, the first is seen; also where it has turned about its own axis, and the same
    // surface is made of other triangles, which differ by fractions of a millimetre.
    material.polygonOffset = true;
    material.polygonOffsetFactor = 2;
    material.polygonOffsetUnits = 64;
    lightAsMuJoCo(material, this.light, { name: 'plain', sample: () => 'vec4(1.0)' });
    this.#materials.set('ghost', material);
    return material;
  }

  dispose(): void {
    for (const material of this.#materials.values()) material.dispose();
    for (const texture of this.#textures.values()) texture.dispose();
  }

  #make(geom: SceneGeom, mirror: boolean): MeshPhongMaterial {
    const source = this.#manifest.materials[geom.material];
    const { emission, specular, shininess } = source ?? PLAIN;
    const [red, green, blue, alpha] = geom.rgba;
    const exponent = 128 * shininess;
    const material = new MeshPhongMaterial({
      color: new Color(red, green, blue),
      emissive: new Color(red * emission, green * emission, blue * emission),
      specular: new Color(specular, specular, specular),
      shininess: exponent,
      transparent: alpha < OPAQUE_ALPHA,
      // MuJoCo draws what is transparent twice: front to back, then back to front.
      opacity: alpha < OPAQUE_ALPHA ? 1 - (1 - alpha) ** 2 : 1,
      depthWrite: alpha >= OPAQUE_ALPHA,
      side: geom.type === 'plane' || geom.type === 'heightField' ? DoubleSide : FrontSide,
    });
    const texture = this.#manifest.textures[source?.texture ?? -1];
    const kind = source === undefined || texture === undefined ? 'none' : texture.kind;
    if (source !== undefined && texture !== undefined && kind === 'cube') {
      const scale = source.textureUniform ? stretchOf(geom) : ([1, 1, 1] as const);
      const cube = this.#texture(source.texture, texture);
      lightAsMuJoCo(material, this.light, {
        ...{ name: 'cube', mirror },
        sample: (shader) => sampleCube(shader, cube, new Vector3(...scale)),
      });
      return material;
    }
    if (source !== undefined && texture !== undefined && kind === '2d') {
      const flat = geom.type === 'plane' || geom.type === 'mesh';
      if (flat) material.map = this.#texture(source.texture, texture);
      else material.color.multiply(meanColor(texture));
    }
    const mapped = material.map !== null;
    lightAsMuJoCo(material, this.light, {
      ...{ name: mapped ? 'map' : 'plain', mirror },
      sample: () => (mapped ? 'texture2D(map, vMapUv)' : 'vec4(1.0)'),
    });
    return material;
  }

  #texture(index: number, source: SceneTexture): Texture {
    const known = this.#textures.get(index);
    if (known !== undefined) return known;
    const faces = facesOf(source, this.#assets);
    const texture = source.kind === 'cube' ? cubeTexture(faces) : faces[0]!;
    refine(texture);
    this.#textures.set(index, texture);
    return texture;
  }
}

function refine<Kind extends Texture>(texture: Kind): Kind {
  texture.generateMipmaps = true;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.magFilter = LinearFilter;
  texture.anisotropy = 8;
  texture.needsUpdate = true;
  return texture;
}

function meanColor(texture: SceneTexture): Color {
  const [red = 1, green = red, blue = red] = texture.mean;
  return new Color(red, green, blue);
}

/** Textures with long stretches of one colour come as runs: a colour and how often it is repeated. */
function pixelsOf(source: SceneTexture, assets: ArrayBuffer): Uint8Array {
  const stored = assetArray(assets, source.pixels) as Uint8Array;
  if (source.runs === undefined) return stored;
  const lengths = assetArray(assets, source.runs);
  const channels = source.shape?.[3] ?? 3;
  const pixels = new Uint8Array((source.shape ?? []).reduce((product, size) => product * size, 1));
  let at = 0;
  for (let run = 0; run < lengths.length; run++) {
    const color = stored.subarray(run * channels, (run + 1) * channels);
    for (let left = lengths[run]!; left > 0; left--, at += channels) pixels.set(color, at);
  }
  return pixels;
}

/** One image per face, first row first, which is how MuJoCo hands them to the graphics card. */
export function facesOf(source: SceneTexture, assets: ArrayBuffer): DataTexture[] {
  const pixels = pixelsOf(source, assets);
  const [faces = 1, height = 1, width = 1, channels = 3] = source.shape ?? source.pixels.shape;
  return Array.from({ length: faces }, (_, face) => {
    const rgba = new Uint8Array(width * height * 4).fill(255);
    const first = face * width * height * channels;
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        rgba[pixel * 4 + channel] = pixels[first + pixel * channels + channel]!;
      }
    }
    const texture = new DataTexture(rgba, width, height, RGBAFormat);
    texture.wrapS = RepeatWrapping;
    texture.wrapT = RepeatWrapping;
    return texture;
  });
}

export function cubeTexture(faces: readonly DataTexture[]): CubeTexture {
  // three reads the pixels of each face from a DataTexture's own image.
  const images = Array.from({ length: 6 }, (_, face) => faces[face] ?? faces[0]!);
  const texture = new CubeTexture(images);
  texture.flipY = false;
  return refine(texture);
}

/**
 * MuJoCo looks a cube texture up by the place on the object itself, before it is stretched (or after, if the texture is
 * uniform). three knows cube textures only as reflections, so the lookup is written into the shader.
 */
function sampleCube(shader: WebGLProgramParametersWithUniforms, texture: Texture, scale: Vector3): string {
  shader.uniforms['objectCube'] = { value: texture };
  shader.uniforms['objectScale'] = { value: scale };
  shader.vertexShader = shader.vertexShader
    .replace('#include <common>', '#include <common>\nuniform vec3 objectScale;\nvarying vec3 vObject;')
    .replace('#include <begin_vertex>', '#include <begin_vertex>\nvObject = position * objectScale;');
  shader.fragmentShader = shader.fragmentShader.replace(
    '#include <common>',
    '#include <common>\nuniform samplerCube objectCube;\nvarying vec3 vObject;',
  );
  return 'textureCube(objectCube, vObject)';
}
