import { ColorManagement, LinearSRGBColorSpace, PCFShadowMap, WebGLRenderer } from 'three';

// MuJoCo's renderer adds colours as they are; so do we.
ColorManagement.enabled = false;

/** A renderer that shows what MuJoCo's shows. @throws Error if the browser has no WebGL2 */
export function createRenderer(
  canvas: HTMLCanvasElement,
  { antialias, shadows }: { readonly antialias: boolean; readonly shadows: boolean },
): WebGLRenderer {
  const renderer = new WebGLRenderer({
    canvas,
    alpha: true,
    antialias,
    preserveDrawingBuffer: true,
    powerPreference: 'high-performance',
  });
  renderer.outputColorSpace = LinearSRGBColorSpace;
  renderer.shadowMap.enabled = shadows;
  renderer.shadowMap.type = PCFShadowMap;
  return renderer;
}
