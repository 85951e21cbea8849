/**
 * IEEE 754 binary16 bits of a number, rounded to nearest even. Beyond 65504 it would become infinite: the caller checks.
 * The 32-bit pattern is shifted into place, so subnormals and carries into the exponent come out right.
 */
const scratch = new DataView(new ArrayBuffer(4));

export const HALF_MAXIMUM = 65_504;

/** @returns uint16 bit patterns, one a number */
export function halfFromFloat(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = halfBits(values[i] ?? 0);
  return halves;
}

/** Exact: every binary16 number is a binary32 number. */
export function floatFromHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = halfValue(halves[i] ?? 0);
  return values;
}

function halfBits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // not a number
  const exponent = (magnitude >>> 23) - 112; // of the half, were it normal
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent < -10) return sign;
  const fraction = magnitude & 0x7fffff;
  // Bits to drop: 13 for a normal half; a subnormal one drops more and shows its leading 1.
  const dropped = exponent > 0 ? 13 : 14 - exponent;
  const whole = exponent > 0 ? (exponent << 23) | fraction : 0x800000 | fraction;
  const kept = whole >>> dropped;
  const rest = whole & ((1 << dropped) - 1);
  const middle = 1 << (dropped - 1);
  const up = rest > middle || (rest === middle && (kept & 1) === 1);
  return sign | (kept + (up ? 1 : 0));
}

function halfValue(half: number): number {
  const sign = (half & 0x8000) === 0 ? 1 : -1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
