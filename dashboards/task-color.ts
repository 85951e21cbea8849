/** Okabe and Ito's palette without black: told apart with every common kind of colour blindness. */
const PALETTE = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442'] as const;

/** Square, disc, diamond, triangle: seven colours are not enough for ten tasks. */
const SHAPES = [
  { borderRadius: '2px' },
  { borderRadius: '50%' },
  { clipPath: 'polygon(50% 0, 100% 50%, 50% 100%, 0 50%)' },
  { clipPath: 'polygon(50% 4%, 100% 96%, 0 96%)' },
] as const;

/** Found by trying: with it no two tasks of MT10, of CW10 or of DMC16 look alike. */
const SEED = 3595;

/** The colour of a name, the same on every page and in every run. */
export function colorOf(name: string): string {
  return PALETTE[hashOf(name) % PALETTE.length] ?? PALETTE[0];
}

/** Colour and shape of a name's dot, as a style. */
export function dotOf(name: string): { background: string; borderRadius?: string; clipPath?: string } {
  const shape = SHAPES[Math.floor(hashOf(name) / PALETTE.length) % SHAPES.length] ?? SHAPES[0];
  return { background: colorOf(name), ...shape };
}

function hashOf(name: string): number {
  let hash = SEED;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) % (PALETTE.length * SHAPES.length);
}

/** Degrees on the wheel from one key to the next, and lightness in turn: of those tried, thirty keys lie furthest apart with these. */
const KEY_ANGLE = 101.5;
const LIGHTNESS = [0.5, 0.75, 0.33, 0.62] as const;
const SATURATION = 0.8;

/** Keys of a pool are categories: neighbours lie far apart on the wheel, and in brightness too. Red, green, blue, 0..255. */
export function keyColor(key: number): readonly [number, number, number] {
  const light = LIGHTNESS[key % LIGHTNESS.length] ?? LIGHTNESS[0];
  const channel = (offset: number): number => {
    const place = (offset + (key * KEY_ANGLE) / 30) % 12;
    return Math.round(
      255 * (light - SATURATION * Math.min(light, 1 - light) * Math.max(-1, Math.min(place - 3, 9 - place, 1))),
    );
  };
  return [channel(0), channel(8), channel(4)];
}
