import { ShaderChunk, type MeshPhongMaterial, type WebGLProgramParametersWithUniforms } from 'three';
import type { SceneManifest } from './manifest.ts';
import { mirrorUniforms, type MirrorUniforms } from './mirror.ts';

/**
 * Light as MuJoCo's renderer computes it, in place of three's: nothing is divided by pi or normalised, highlights have a
 * colour of their own, the texture is multiplied with the lit colour, and each light with a shadow is a pass of its own
 * that is clipped before it is added. The headlight shines along the gaze, so it needs no light of three's. Behind a
 * mirror there are no shadows, and only colours are dimmed, not highlights.
 */
const LIGHT = /* glsl */ `
varying vec3 vViewPosition;
uniform vec3 headlightDiffuse;
uniform vec3 headlightSpecular;
uniform float directionalHighlight;
uniform float mirrored;
uniform vec4 mirrorPlane;
float highlightShare;
struct BlinnPhongMaterial { vec3 diffuseColor; vec3 specularColor; float specularShininess; float specularStrength; };
void shine(vec3 direction, vec3 light, vec3 highlight, vec3 normal, vec3 eye, BlinnPhongMaterial material, inout ReflectedLight lit) {
  float facing = dot(normal, direction);
  if (facing <= 0.0) return;
  lit.directDiffuse += facing * light * material.diffuseColor;
  float gloss = pow(max(dot(normal, normalize(direction + eye)), 1e-6), material.specularShininess);
  lit.directSpecular += gloss * highlight * material.specularColor;
}
void RE_Direct_MuJoCo(IncidentLight light, vec3 position, vec3 normal, vec3 eye, vec3 coat, BlinnPhongMaterial material, inout ReflectedLight lit) {
  shine(light.direction, light.color, light.color * highlightShare, normal, eye, material, lit);
}
void RE_IndirectDiffuse_MuJoCo(vec3 irradiance, vec3 position, vec3 normal, vec3 eye, vec3 coat, BlinnPhongMaterial material, inout ReflectedLight lit) {
  lit.indirectDiffuse += irradiance * material.diffuseColor;
}
#define RE_Direct RE_Direct_MuJoCo
#define RE_IndirectDiffuse RE_IndirectDiffuse_MuJoCo
`;

const NOTHING = 'ReflectedLight(vec3(0.0), vec3(0.0), vec3(0.0), vec3(0.0))';
const LOOP_OR_CALL = /i < NUM_(\w+)_LIGHTS|RE_Direct\( directLight,([^;]*), reflectedLight \);/g;

/** The loops over three's lights, each light apart. */
function loops(): string {
  let kind = '';
  const lights = ShaderChunk.lights_fragment_begin.replace(LOOP_OR_CALL, (all, loop?: string, inputs = '') => {
    if (loop !== undefined) {
      kind = loop;
      return all;
    }
    if (kind !== 'SPOT' && kind !== 'DIR') return '';
    const share = kind === 'SPOT' ? '10.0 * fract(spotLight.decay)' : 'directionalHighlight';
    return `
      own = ${NOTHING};
      highlightShare = ${share};
      RE_Direct( directLight,${inputs}, own );
      #if ( UNROLLED_LOOP_INDEX < NUM_${kind}_LIGHT_SHADOWS )
        passes += min(own.directDiffuse + own.directSpecular, vec3(1.0));
      #else
        reflectedLight.directDiffuse += own.directDiffuse;
        reflectedLight.directSpecular += own.directSpecular;
      #endif`;
  });
  return `ReflectedLight own;
    vec3 passes = vec3(0.0);
    ${lights.replaceAll('&& receiveShadow', '&& receiveShadow && mirrored == 0.0')}
    vec3 gaze = vec3(0.0, 0.0, 1.0);
    shine(mirrored > 0.0 ? reflect(gaze, mirrorPlane.xyz) : gaze, headlightDiffuse, headlightSpecular, geometryNormal, geometryViewDir, material, reflectedLight);`;
}

const SPOT = ShaderChunk.lights_pars_begin
  .replace(
    'getSpotAttenuation( spotLight.coneCos, spotLight.penumbraCos, angleCos )',
    'angleCos < spotLight.coneCos ? 0.0 : pow( max( angleCos, 1e-6 ), floor( spotLight.decay ) )',
  )
  .replace('light.color *= getDistanceAttenuation( lightDistance, spotLight.distance, spotLight.decay );', '');

/** What the shader needs to know of a scene besides three's lights. */
export interface LightUniforms extends MirrorUniforms {
  readonly headlightDiffuse: { readonly value: readonly number[] };
  readonly headlightSpecular: { readonly value: readonly number[] };
  readonly directionalHighlight: { readonly value: number };
}

export function lightUniforms({ view, lights }: SceneManifest): LightUniforms {
  const { active, diffuse, specular } = view.headlight;
  const directional = lights.find((light) => light.active && light.kind === 'directional');
  return {
    headlightDiffuse: { value: active ? diffuse : [0, 0, 0] },
    headlightSpecular: { value: active ? specular : [0, 0, 0] },
    directionalHighlight: { value: directional === undefined ? 0 : highlightShare(directional) },
    ...mirrorUniforms(),
  };
}

/** How bright a light's highlights are beside its light on matt surfaces, at most 9.9. */
export function highlightShare(light: SceneManifest['lights'][number]): number {
  const brightest = Math.max(...light.diffuse);
  return brightest === 0 ? 0 : Math.min(9.9, Math.max(...light.specular) / brightest);
}

// A corner exactly in the camera's plane has no place in the picture, and software renderers lose its whole triangle,
// the floor as likely as not. Seen or not, a tenth of a millimetre does it no harm.
const PROJECT = /* glsl */ `#include <project_vertex>
if (abs(gl_Position.w) < 1e-4) gl_Position.w = 1e-4;`;

const CLIP = /* glsl */ `
if (mirrored > 0.0 && dot(mirrorPlane.xyz, -vViewPosition) + mirrorPlane.w > 0.0) discard;`;

const MIRROR = /* glsl */ `
if (dot(normal, mirrorPlane.xyz) > 0.99) {
  outgoingLight += texture2D(mirrorImage, (gl_FragCoord.xy - mirrorPlace.xy) * mirrorPlace.zw).rgb;
}`;

/** How a material differs from others in its shader. */
export interface Surface {
  /** Materials with the same name share a program. */
  readonly name: string;
  /** Whether it shows the world behind the mirror. */
  readonly mirror?: boolean;
  /** GLSL of the colour of the texture, white for none. */
  readonly sample: (shader: WebGLProgramParametersWithUniforms) => string;
}

export function lightAsMuJoCo(material: MeshPhongMaterial, uniforms: LightUniforms, surface: Surface): void {
  const { name, mirror = false } = surface;
  material.onBeforeCompile = (shader) => {
    Object.assign(shader.uniforms, uniforms);
    const sample = surface.sample(shader);
    const light = mirror ? `uniform sampler2D mirrorImage;\nuniform vec4 mirrorPlace;\n${LIGHT}` : LIGHT;
    shader.vertexShader = shader.vertexShader.replace('#include <project_vertex>', PROJECT);
    shader.fragmentShader = shader.fragmentShader
      .replace('#include <lights_pars_begin>', SPOT)
      .replace('#include <lights_phong_pars_fragment>', light)
      .replace(
        '#include <map_fragment>',
        `${CLIP}
        vec4 textured = ${sample};
        diffuseColor.a *= textured.a;
        if (mirrored > 0.0) {
          diffuseColor.rgb *= mirrored;
          totalEmissiveRadiance *= mirrored;
        }`,
      )
      .replace('#include <lights_fragment_begin>', loops())
      .replace(
        '#include <opaque_fragment>',
        `outgoingLight = (min(outgoingLight, vec3(1.0)) + passes) * textured.rgb;
        ${mirror ? MIRROR : ''}
        #include <opaque_fragment>`,
      );
  };
  material.customProgramCacheKey = () => `${name}${mirror ? ' mirror' : ''}`;
}
