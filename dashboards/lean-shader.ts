/** What three defines in shaders only for materials, lights and devices that no scene of ours has. */
const NEVER_DEFINED = new RegExp(
  '^(' +
    'USE_(AOMAP|LIGHTMAP|BUMPMAP|NORMALMAP\\w*|DISPLACEMENTMAP|EMISSIVEMAP|SPECULARMAP|ALPHAMAP|ALPHATEST|ALPHAHASH|ENVMAP|' +
    'MATCAP|GRADIENTMAP|METALNESSMAP|ROUGHNESSMAP|TRANSMISSION\\w*|THICKNESSMAP|CLEARCOAT\\w*|IRIDESCENCE\\w*|SHEEN\\w*|' +
    'ANISOTROPY\\w*|DISPERSION|SPECULAR_COLORMAP|SPECULAR_INTENSITYMAP|BATCHING\\w*|MORPH\\w*|INSTANCING_MORPH|TANGENT|' +
    'COLOR|COLOR_ALPHA|VERTEX_COLORS?|INSTANCING_COLOR|UV1|UV2|UV3|POINTS_UV|LIGHT_PROBES?\\w*|' +
    'LOGARITHMIC_DEPTH_BUFFER|REVERSED_DEPTH_BUFFER|SIZEATTENUATION|ALPHA_TO_COVERAGE|FLAT_SHADED)' +
    '|FLAT_SHADED|ALPHA_TO_COVERAGE|STANDARD|PHYSICAL|TOON|LAMBERT|DITHERING|TONE_MAPPING|PREMULTIPLIED_ALPHA|FOG_EXP2|' +
    'SHADOWMAP_TYPE_VSM|SHADOWMAP_TYPE_BASIC|DECODE_VIDEO_TEXTURE\\w*|CUBEUV_\\w+|FLIP_SIDED' +
    ')$',
);
/** Numbers that three writes into shaders and that are always 0 here. */
const ALWAYS_ZERO =
  /^NUM_((SUN|POINT|RECT_AREA|HEMI)_LIGHTS|(SUN|POINT)_LIGHT_SHADOWS|SPOT_LIGHT_MAPS|SPOT_LIGHT_SHADOWS_WITH_MAPS|CLIPPING_PLANES)$/;

/** Whether a condition can be known before the shader is compiled. */
function known(directive: string, condition: string): boolean | undefined {
  if (directive === 'ifdef') return NEVER_DEFINED.test(condition) ? false : undefined;
  if (directive === 'ifndef') return NEVER_DEFINED.test(condition) ? true : undefined;
  if (condition.includes('||'))
    return condition.split('||').every((part) => known('if', part) === false) ? false : undefined;
  const impossible = condition.split('&&').some((part) => {
    const plain = part.replaceAll(/[()]/g, ' ').trim();
    const [, symbol = ''] = /^defined +(\w+)$/.exec(plain) ?? [];
    const [, count = ''] = /^(\w+) > 0$/.exec(plain) ?? [];
    return NEVER_DEFINED.test(symbol) || ALWAYS_ZERO.test(count);
  });
  return impossible ? false : undefined;
}

interface Branch {
  /** Whether what stands here now is kept. */
  kept: boolean;
  /** Whether the condition was decided here, so that its directives go too. */
  readonly decided: boolean;
}

/**
 * A shader without the branches that are never compiled, without indentation and comments.
 *
 * @param text as it stands in a script: its line breaks are `\n` written out. Shaders in which an undecided branch
 *   follows a decided one (`#elif`) stay as they are.
 */
export function prunedShader(text: string): string {
  const lines = text.split('\\n').map((line) =>
    line
      .replaceAll('\\t', ' ')
      .replace(/\/\/.*$/, '')
      .trim(),
  );
  const branches: Branch[] = [];
  const kept: string[] = [];
  for (const line of lines) {
    const [, directive = '', condition = ''] = /^# *(ifdef|ifndef|if|elif|else|endif)\b *(.*)$/.exec(line) ?? [];
    const inner = branches.at(-1);
    if (directive.startsWith('if')) {
      const value = known(directive, condition.trim());
      branches.push({ kept: value ?? true, decided: value !== undefined });
      if (value !== undefined) continue;
    } else if (directive === 'elif' && inner?.decided === true) {
      return lines.filter((each) => each !== '').join('\\n');
    } else if (directive === 'else' && inner?.decided === true) {
      inner.kept = !inner.kept;
      continue;
    } else if (directive === 'endif') {
      branches.pop();
      if (inner?.decided === true) continue;
    }
    if (line !== '' && branches.every((branch) => branch.kept)) kept.push(line);
  }
  return kept.join('\\n');
}
