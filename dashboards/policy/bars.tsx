interface BarsProps {
  readonly label: string;
  readonly values: ArrayLike<number>;
  readonly chosen: number;
  /** Values are drawn from `low` up to `high`. */
  readonly low: number;
  readonly high: number;
}

/** One bar a value, the chosen one marked by colour and by a stroke below it. */
export function Bars({ label, values, chosen, low, high }: BarsProps) {
  let path = '';
  for (let i = 0; i < values.length; i++) {
    if (i !== chosen) path += bar(i, values[i] ?? 0);
  }
  function bar(i: number, value: number): string {
    const height = Math.max(0.2, (20 * (value - low)) / (high - low));
    return `M${i + 0.1} 20v${(-height).toFixed(2)}h.8V20z`;
  }
  return (
    <svg class="bars" viewBox={`0 0 ${values.length} 22`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={path} />
      {chosen >= 0 && <path class="chosen" d={`${bar(chosen, values[chosen] ?? 0)}M${chosen} 20.6h1V22h-1z`} />}
    </svg>
  );
}
