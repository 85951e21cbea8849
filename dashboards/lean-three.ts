import { prunedShader } from './lean-shader.ts';

/** The part of a Vite plugin that is needed here. */
interface Transformer {
  readonly name: string;
  transform(code: string, id: string): string | null;
}

/** Shaders of materials that no scene of ours has: MuJoCo's are Phong, the sky and rays have their own. */
const UNUSED_SHADERS =
  /^(background|backgroundCube|cube|distance|equirect|linedashed|meshbasic|meshlambert|meshmatcap|meshnormal|meshphysical|meshtoon|points|shadow|sprite)_(vert|frag)$/;
/** `const name = "shader";`: three writes each of its shaders and their parts in one line. */
const SHADER_TEXT = /^(?:var|const) ([\w$]+) = "(.*)";$/gm;
/** Parts that only those shaders, or textures that no scene of ours has, make use of. */
const UNUSED_PARTS =
  /^(iridescence|clearcoat|transmission|metalnessmap|roughnessmap|lights_(lambert|physical|toon)|cube_uv_reflection|envmap|gradientmap|bumpmap|displacementmap|lightmap|aomap|morph\w*|batching|logdepthbuf|clipping_planes|shadowmask|lightprobes)_\w+$/;

/**
 * Leaves out of three's renderer the text of shaders that are never compiled: half of all its shader code. A material
 * that needs one of them fails at once, in every browser, with an empty shader: take its line out of the lists above,
 * or its symbol out of the list in `lean-shader.ts`.
 */
export function leanThree(): Transformer {
  return {
    name: 'lean-three',
    transform(code, id) {
      if (!id.endsWith('three/build/three.module.js')) return null;
      const unused = new Set<string>();
      for (const [, name = '', variable = ''] of code.matchAll(/^\t(\w+): ((?:vertex|fragment)(?:\$\w+)?),?$/gm)) {
        if (UNUSED_SHADERS.test(name)) unused.add(variable);
      }
      return code.replace(SHADER_TEXT, (...[line, name, text]: string[]) => {
        if (name === undefined || text === undefined) return line ?? '';
        const wanted = !unused.has(name) && !UNUSED_PARTS.test(name);
        return `const ${name} = "${wanted ? prunedShader(text) : ''}";`;
      });
    },
  };
}
