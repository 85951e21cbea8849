import type { Rate } from '../../protocol/dashboard-views.ts';
import { grouped, wholePercent } from '../format.ts';

/** `41/50 · 69–90 %` */
export function RateText({ rate }: { readonly rate: Rate }) {
  return (
    <>
      {grouped(rate.successes)}/{grouped(rate.episodes)}
      {rate.interval !== null && <> · 95 %: {intervalText(rate.interval)}</>}
    </>
  );
}

export function intervalText({ low, high }: { readonly low: number; readonly high: number }): string {
  return `${Math.round(low * 100)}–${wholePercent(high)}`;
}

interface IntervalBarProps {
  readonly rate: Rate;
  readonly label: string;
  readonly wide?: boolean;
}

/** A scale from 0 to 1 with the interval as a band and the share as a line. */
export function IntervalBar({ rate, label, wide = false }: IntervalBarProps) {
  const className = wide ? 'interval interval-wide' : 'interval';
  if (rate.rate === null || rate.interval === null) return <div class={className} aria-hidden="true" />;
  const { low, high } = rate.interval;
  const words = `${label}: ${wholePercent(rate.rate)}, 95 % interval ${intervalText(rate.interval)}`;
  return (
    <div class={className} role="img" aria-label={words} title={words}>
      <div class="interval-share" style={{ width: `${rate.rate * 100}%` }} />
      <div class="interval-band" style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }} />
      <div class="interval-line" style={{ left: `${rate.rate * 100}%` }} />
    </div>
  );
}
