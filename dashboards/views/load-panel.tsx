import { useEffect, useRef } from 'preact/hooks';
import { useComputed } from '@preact/signals';
import type { LoadView } from '../../protocol/dashboard-views.ts';
import { short, siNumber } from '../format.ts';
import type { Store } from '../store.ts';
import { theme } from '../theme.ts';

const SHARES = [
  ['simulateMs', 'simulate'],
  ['transportMs', 'transport'],
  ['decideMs', 'decide'],
] as const;

/** Throughput of the last two minutes, and where the time of a step goes. */
export function LoadPanel({ store }: { readonly store: Store }) {
  const load = useComputed(() => store.atTick(() => store.state.peek().load));
  const measured = useComputed(() => store.atTick(() => store.history.times.length > 1));
  return (
    <section class="panel" aria-labelledby="load-title">
      <h2 id="load-title">
        Throughput {measured.value && <span class="count">{siNumber(load.value.stepsPerSecond)} steps/s</span>}
      </h2>
      {measured.value ? <ThroughputChart store={store} /> : <p class="empty">Nothing measured yet.</p>}
      {load.value.totalMs > 0 && <TimeSplit load={load.value} />}
    </section>
  );
}

function TimeSplit({ load }: { readonly load: LoadView }) {
  const parts = SHARES.map(([key, name]) => ({ name, milliseconds: load[key] }));
  const total = parts.reduce((sum, part) => sum + part.milliseconds, 0);
  const words = parts.map((part) => `${part.name} ${short(part.milliseconds)} ms`).join(', ');
  return (
    <>
      <div class="time-split" role="img" aria-label={words}>
        {parts.map((part, index) => (
          <span
            key={part.name}
            class={`time-part time-part-${index}`}
            style={{ flexGrow: total > 0 ? part.milliseconds / total : 1 / 3 }}
          />
        ))}
      </div>
      <dl class="time-legend">
        {parts.map((part, index) => (
          <div key={part.name}>
            <dt>
              <span class={`time-key time-part-${index}`} aria-hidden="true" />
              {part.name}
            </dt>
            <dd>{short(part.milliseconds)} ms</dd>
          </div>
        ))}
      </dl>
      <p class="load-note">
        batch {short(load.batchSize)} · queue {Math.round(load.queueDepth)} · waits {short(load.queueMs)} ms
      </p>
    </>
  );
}

function ThroughputChart({ store }: { readonly store: Store }) {
  const holder = useRef<HTMLDivElement>(null);
  const colors = theme.value;
  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    let chart: { update(): void; destroy(): void } | null = null;
    let gone = false;
    void import('./throughput-chart.ts').then(({ throughputChart }) => {
      if (!gone) chart = throughputChart(element, store.history);
    });
    const timer = setInterval(() => chart?.update(), 1000);
    return () => {
      gone = true;
      clearInterval(timer);
      chart?.destroy();
    };
  }, [store, colors]);
  return <div class="throughput" ref={holder} role="img" aria-label="Steps per second over the last two minutes" />;
}
