export interface Quality {
  /** Pictures are computed without a graphics card. */
  readonly software: boolean;
  readonly antialias: boolean;
  readonly shadows: boolean;
  /** Scenes that have one are drawn once more for it. */
  readonly mirrors: boolean;
  readonly pixelRatio: number;
}

/**
 * What this machine can be asked for. `?quality=high` or `?quality=low` in the address overrules the guess.
 * @throws Error if the browser has no WebGL2
 */
export function chooseQuality(): Quality {
  const context = document.createElement('canvas').getContext('webgl2');
  if (context === null) throw new Error('this browser has no WebGL2');
  const software = isSoftware(context);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  const asked = new URLSearchParams(location.search).get('quality');
  const fine = asked === 'high' || (asked !== 'low' && !software);
  return {
    software,
    antialias: fine,
    shadows: fine,
    mirrors: fine,
    pixelRatio: fine ? Math.min(2, devicePixelRatio) : 1,
  };
}

function isSoftware(context: WebGL2RenderingContext): boolean {
  const information = context.getExtension('WEBGL_debug_renderer_info');
  if (information === null) return false;
  const name = String(context.getParameter(information.UNMASKED_RENDERER_WEBGL));
  return /swiftshader|llvmpipe|software/i.test(name);
}
