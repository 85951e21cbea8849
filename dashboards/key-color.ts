const GOLDEN_ANGLE = 137.508;
const LIGHTNESS = [0.5, 0.68, 0.36] as const;

/** Keys of a pool are categories: neighbours lie far apart on the wheel, and in brightness too. Red, green, blue, 0..255. */
export function keyColor(key: number): readonly [number, number, number] {
  const light = LIGHTNESS[key % LIGHTNESS.length] ?? LIGHTNESS[0];
  const channel = (offset: number): number => {
    const place = (offset + (key * GOLDEN_ANGLE) / 30) % 12;
    return Math.round(
      255 * (light - 0.6 * Math.min(light, 1 - light) * Math.max(-1, Math.min(place - 3, 9 - place, 1))),
    );
  };
  return [channel(0), channel(8), channel(4)];
}
