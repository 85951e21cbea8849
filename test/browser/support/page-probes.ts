import type { Page } from 'playwright-core';

/**
 * What tests ask of the page's own objects. The expressions run in the browser and are therefore text: the program that
 * these tests belong to knows nothing of a DOM.
 */

/** Name of the WebGL2 renderer, or null where there is none. */
export function webGlRenderer(tab: Page): Promise<string | null> {
  return tab.evaluate<string | null>(`(() => {
    const gl = document.createElement('canvas').getContext('webgl2');
    const info = gl?.getExtension('WEBGL_debug_renderer_info');
    return gl === null ? null : info == null ? 'WebGL2' : gl.getParameter(info.UNMASKED_RENDERER_WEBGL);
  })()`);
}

/** How many pixels further than the window the page reaches to the right. */
export function horizontalOverflow(tab: Page): Promise<number> {
  return tab.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
}

/** Pixels of a 2D canvas that something was drawn on. */
export function paintedPixels(tab: Page, selector: string): Promise<number> {
  return tab.evaluate<number>(`(() => {
    const canvas = document.querySelector(${JSON.stringify(selector)});
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
  })()`);
}

/** Brightness (0..255) of a PNG on a grid of 48 by 36 places. */
export async function brightness(tab: Page, png: Buffer): Promise<Uint8Array> {
  const samples = await tab.evaluate<number[]>(`(async () => {
    const image = new Image();
    image.src = 'data:image/png;base64,${png.toString('base64')}';
    await image.decode();
    const canvas = new OffscreenCanvas(48, 36);
    const drawing = canvas.getContext('2d');
    drawing.drawImage(image, 0, 0, 48, 36);
    const { data } = drawing.getImageData(0, 0, 48, 36);
    return Array.from({ length: 48 * 36 }, (_, pixel) =>
      Math.round((data[pixel * 4] + data[pixel * 4 + 1] + data[pixel * 4 + 2]) / 3));
  })()`);
  return Uint8Array.from(samples);
}

/** Mean absolute difference of two pictures, 0..1. */
export function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (const [index, value] of a.entries()) sum += Math.abs(value - (b[index] ?? 0));
  return sum / a.length / 255;
}
