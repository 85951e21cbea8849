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
} from 'three';
import { assetArray, type SceneGeom, type SceneManifest, type SceneTexture } from './manifest.ts';
import { stretchOf } from './geometry.ts';

/** What MuJoCo takes where a geom has no material. */
const PLAIN = { emission: 0, specular: 0.5, shininess: 0.5 };
const OPAQUE_ALPHA = 0.995;

/** Materials and textures of one scene, each made once. Colours are taken as they are: MuJoCo draws without gamma. */
export class MaterialCache {
  readonly #manifest: SceneManifest;
  readonly #assets: ArrayBuffer;
  readonly #materials = new Map<string, MeshPhongMaterial>();
  readonly #textures = new Map<number, Texture>();

  constructor(manifest: SceneManifest, assets: ArrayBuffer) {
    this.#manifest = manifest;
    this.#assets = assets;
  }

  materialOf(geom: SceneGeom): MeshPhongMaterial {
    const source = this.#manifest.materials[geom.material];
    const texture = this.#manifest.textures[source?.texture ?? -1];
    const cube = texture?.kind === 'cube';
    const stretch = cube ? stretchOf(geom).join(' ') : '';
    const key = `${geom.rgba.join(' ')} ${geom.material} ${geom.type === 'plane' ? 'plane' : ''} ${stretch}`;
    const known = this.#materials.get(key);
    if (known !== undefined) return known;
    const material = this.#make(geom);
    this.#materials.set(key, material);
    return material;
  }

  dispose(): void {
    for (const material of this.#materials.values()) material.dispose();
    for (const texture of this.#textures.values()) texture.dispose();
  }

  #make(geom: SceneGeom): MeshPhongMaterial {
    const source = this.#manifest.materials[geom.material];
    const { emission, specular, shininess } = source ?? PLAIN;
    const [red, green, blue, alpha] = geom.rgba;
    const exponent = Math.max(1, 128 * shininess);
    // three normalises its highlight; this factor undoes that, as MuJoCo's is not.
    const highlight = Math.min(1, (4 * specular) / (exponent / 2 + 1));
    const material = new MeshPhongMaterial({
      color: new Color(red, green, blue),
      emissive: new Color(red * emission, green * emission, blue * emission),
      specular: new Color(highlight, highlight, highlight),
      shininess: exponent,
      transparent: alpha < OPAQUE_ALPHA,
      opacity: alpha,
      depthWrite: alpha >= OPAQUE_ALPHA,
      side: geom.type === 'plane' || geom.type === 'heightField' ? DoubleSide : FrontSide,
    });
    const texture = this.#manifest.textures[source?.texture ?? -1];
    if (source === undefined || texture === undefined) return material;
    if (texture.kind === '2d') {
      const flat = geom.type === 'plane' || geom.type === 'mesh';
      if (flat) material.map = this.#texture(source.texture, texture);
      else material.color.multiply(meanColor(texture));
    } else if (texture.kind === 'cube') {
      const scale = source.textureUniform ? stretchOf(geom) : ([1, 1, 1] as const);
      useCubeTexture(material, this.#texture(source.texture, texture), new Vector3(...scale));
    }
    return material;
  }

  #texture(index: number, source: SceneTexture): Texture {
    const known = this.#textures.get(index);
    if (known !== undefined) return known;
    const faces = facesOf(source, this.#assets);
    const texture = source.kind === 'cube' ? cubeTexture(faces) : faces[0]!;
    texture.generateMipmaps = true;
    texture.minFilter = LinearMipmapLinearFilter;
    texture.magFilter = LinearFilter;
    texture.anisotropy = 8;
    texture.needsUpdate = true;
    this.#textures.set(index, texture);
    return texture;
  }
}

function meanColor(texture: SceneTexture): Color {
  const [red = 1, green = red, blue = red] = texture.mean;
  return new Color(red, green, blue);
}

/** One image per face, first row first, which is how MuJoCo hands them to the graphics card. */
function facesOf(source: SceneTexture, assets: ArrayBuffer): DataTexture[] {
  const pixels = assetArray(assets, source.pixels) as Uint8Array;
  const [faces = 1, height = 1, width = 1, channels = 3] = source.pixels.shape;
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

function cubeTexture(faces: readonly DataTexture[]): CubeTexture {
  // three reads the pixels of each face from a DataTexture's own image.
  const images = Array.from({ length: 6 }, (_, face) => faces[face] ?? faces[0]!);
  const texture = new CubeTexture(images as unknown as HTMLImageElement[]);
  texture.flipY = false;
  return texture;
}

/**
 * MuJoCo looks a cube texture up by the place on the object itself, before it is stretched (or after, if the texture is
 * uniform). three knows cube textures only as reflections, so the lookup is written into the shader.
 */
function useCubeTexture(material: MeshPhongMaterial, texture: Texture, scale: Vector3): void {
  material.onBeforeCompile = (shader) => {
    shader.uniforms['objectCube'] = { value: texture };
    shader.uniforms['objectScale'] = { value: scale };
    shader.vertexShader = shader.vertexShader
      .replace('#include <common>', '#include <common>\nuniform vec3 objectScale;\nvarying vec3 vObject;')
      .replace('#include <begin_vertex>', '#include <begin_vertex>\nvObject = position * objectScale;');
    shader.fragmentShader = shader.fragmentShader
      .replace('#include <common>', '#include <common>\nuniform samplerCube objectCube;\nvarying vec3 vObject;')
      .replace('#include <map_fragment>', 'diffuseColor *= textureCube(objectCube, vObject);');
  };
  material.customProgramCacheKey = () => 'object-cube';
}
