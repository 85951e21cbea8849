import { useEffect, useRef } from 'preact/hooks';
import { curvesOf, type Curves, type MetricPoint } from '../results/curves.ts';
import type { RunRow } from '../results/run-rows.ts';
import { usePolled } from '../results/use-polled.ts';
import { theme } from '../theme.ts';
import { StatePill } from './run-panel.tsx';

const LIVE_MS = 3000;
const OVER_MS = 60_000;
/** Means a curve; a chart is not wider. */
const MOST_POINTS = 400;
const MOST_RUNS = 3;
const OVER = ['finished', 'stopped', 'failed'];

interface CurvesPanelProps {
  /** Newest first. */
  readonly trainings: readonly RunRow[];
  readonly chosen: readonly string[];
}

/** Curves of the trainings that are ticked, else of the newest one; they grow while it learns. */
export function CurvesPanel({ trainings, chosen }: CurvesPanelProps) {
  const ticked = trainings.filter(({ run }) => chosen.includes(run));
  const shown = (ticked.length > 0 ? ticked : trainings.slice(0, 1)).slice(0, MOST_RUNS);
  if (shown.length === 0) return null;
  return (
    <section class="panel curves-panel" aria-labelledby="curves-title">
      <h2 id="curves-title">Learning curves</h2>
      {shown.map((row) => (
        <RunCurves key={row.run} row={row} />
      ))}
    </section>
  );
}

function RunCurves({ row }: { readonly row: RunRow }) {
  const path = `api/runs/${encodeURIComponent(row.run)}/metrics?most=${MOST_POINTS}`;
  const polled = usePolled<{ points: MetricPoint[] }>(path, OVER.includes(row.state) ? OVER_MS : LIVE_MS, row.state);
  return (
    <div class="run-curves" data-curves={row.run}>
      <p class="run-curves-name">
        {row.policy} <StatePill state={row.state} /> <span class="faint">{row.run}</span>
        {row.message !== '' && <span class="faint"> · {row.message}</span>}
      </p>
      {polled.kind === 'loading' && <p class="empty">Loading…</p>}
      {polled.kind === 'failed' && <p class="empty bad">No curves: {polled.reason}</p>}
      {polled.kind === 'ready' && <Charts curves={curvesOf(polled.value.points)} />}
    </div>
  );
}

function Charts({ curves }: { readonly curves: readonly Curves[] }) {
  if (curves.length === 0) return <p class="empty">Nothing measured yet; the first values come after some seconds.</p>;
  return (
    <div class="curve-grid">
      {curves.map((each) => (
        <figure key={each.name} data-curve={each.name}>
          <figcaption>
            {each.words} <b>{each.newest}</b>
          </figcaption>
          <CurveChart curves={each} />
        </figure>
      ))}
    </div>
  );
}

function CurveChart({ curves }: { readonly curves: Curves }) {
  const holder = useRef<HTMLDivElement>(null);
  const newest = useRef(curves);
  const chart = useRef<{ update(curves: Curves): void; destroy(): void } | null>(null);
  newest.current = curves;
  chart.current?.update(curves);
  const colors = theme.value;
  useEffect(() => {
    let gone = false;
    void import('./throughput-chart.ts').then(({ curvesChart }) => {
      if (!gone && holder.current !== null) chart.current = curvesChart(holder.current, newest.current);
    });
    return () => {
      gone = true;
      chart.current?.destroy();
      chart.current = null;
    };
  }, [curves.series.length, colors]);
  return <div class="curve-chart" ref={holder} role="img" aria-label={curves.description} />;
}
