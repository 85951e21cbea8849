/** 97.5th percentile of the standard normal distribution: two sides of 2.5 % leave 95 %. */
const Z = 1.959963984540054;

/** Wilson's 95 % interval for a share of `successes` in `episodes`; the whole range while there are none. */
export function wilsonInterval(successes: number, episodes: number): { readonly low: number; readonly high: number } {
  if (episodes <= 0) return { low: 0, high: 1 };
  const share = successes / episodes;
  const zz = Z * Z;
  const center = share + zz / (2 * episodes);
  const margin = Z * Math.sqrt((share * (1 - share)) / episodes + zz / (4 * episodes * episodes));
  const scale = 1 + zz / episodes;
  return { low: Math.max(0, (center - margin) / scale), high: Math.min(1, (center + margin) / scale) };
}
