import { useEffect, useRef } from 'preact/hooks';
import { useComputed } from '@preact/signals';
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
  const { batchSize, queueDepth, queueMs, stepsPerSecond } = load.value;
  const parts = SHARES.map(([key, name]) => ({ name, milliseconds: load.value[key] }));
  const total = parts.reduce((sum, part) => sum + part.milliseconds, 0);
  return (
    <section class="panel" aria-labelledby="load-title">
      <h2 id="load-title">
        Throughput <span class="count">{siNumber(stepsPerSecond)} steps/s</span>
      </h2>
      <ThroughputChart store={store} />
      <div
        class="time-split"
        role="img"
        aria-label={parts.map((part) => `${part.name} ${short(part.milliseconds)} ms`).join(', ')}
      >
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
        batch {short(batchSize)} · queue {Math.round(queueDepth)} · waits {short(queueMs)} ms
      </p>
    </section>
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
