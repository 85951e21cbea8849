import type { RunState, RunSummary } from '../../protocol/dashboard-views.ts';
import { duration, grouped, plural, siNumber } from '../format.ts';
import { isActive } from '../state.ts';
import type { Store } from '../store.ts';
import { IntervalBar, RateText } from './rate.tsx';
import { RunControls } from './run-controls.tsx';
import { pooledRate } from '../pooled-rate.ts';

export function RunPanel({ store }: { readonly store: Store }) {
  const run = store.run.value;
  if (run === undefined) return <NoRun store={store} />;
  return (
    <section class="panel run-panel" aria-labelledby="run-title" data-run={run.run} data-state={run.state}>
      <div class="run-heading">
        <h1 id="run-title">{run.policy}</h1>
        <StatePill state={run.state} />
        <p class="run-facts">
          {run.kind === 'collect' ? 'collecting · ' : ''}
          {run.protocol} · seed {run.seed} · {plural(run.tasks.length, 'task')} · <code>{run.run}</code>
        </p>
        <RunControls store={store} run={run} />
      </div>
      {run.message !== '' && <p class={`run-message run-message-${run.state}`}>{run.message}</p>}
      <div class="run-metrics">
        <SuccessMetric label="Success at any time" run={run} which="successAnyTime" mean={run.meanSuccessAnyTime} />
        <SuccessMetric label="Success at the end" run={run} which="successAtEnd" mean={run.meanSuccessAtEnd} />
        <Progress run={run} />
      </div>
    </section>
  );
}

function NoRun({ store }: { readonly store: Store }) {
  const words = store.seeded.value
    ? 'No run yet. Start one with “npx l2m evaluate --tasks mt10”; it appears here by itself.'
    : 'Waiting for the server…';
  return (
    <section class="panel run-panel run-empty">
      <h1>{store.seeded.value ? 'Nothing is running' : 'Connecting'}</h1>
      <p>{words}</p>
    </section>
  );
}

export function StatePill({ state }: { readonly state: RunState }) {
  return (
    <span class={`pill pill-${state}`} data-run-state={state}>
      {state}
    </span>
  );
}

interface SuccessMetricProps {
  readonly label: string;
  readonly run: RunSummary;
  readonly which: 'successAnyTime' | 'successAtEnd';
  readonly mean: number | null;
}

/** All episodes together, with their interval; the mean over tasks differs while tasks are unequally far. */
function SuccessMetric({ label, run, which, mean }: SuccessMetricProps) {
  const rate = pooledRate(run.tasks, which);
  return (
    <div class="metric">
      <span class="metric-label">{label}</span>
      <span class="metric-value">{rate.rate === null ? '–' : <Percentage share={rate.rate} />}</span>
      <IntervalBar rate={rate} label={label} wide />
      <span class="metric-note">
        {rate.rate === null ? 'no scored episode yet' : <RateText rate={rate} />}
        {mean !== null && run.tasks.length > 1 && <> · mean over tasks {(mean * 100).toFixed(1)} %</>}
      </span>
    </div>
  );
}

function Percentage({ share }: { readonly share: number }) {
  return (
    <>
      {(share * 100).toFixed(1)}
      <small> %</small>
    </>
  );
}

function Progress({ run }: { readonly run: RunSummary }) {
  const { assistedEpisodes = 0 } = run;
  const settled = run.finishedEpisodes + run.errorEpisodes + assistedEpisodes;
  const share = run.plannedEpisodes > 0 ? Math.min(1, settled / run.plannedEpisodes) : 0;
  const left = isActive(run) && run.secondsLeft !== null ? `${duration(run.secondsLeft)} left` : '';
  const notes = [
    run.steps > 0 ? `${siNumber(run.steps)} steps` : '',
    run.errorEpisodes > 0 ? plural(run.errorEpisodes, 'error') : '',
    assistedEpisodes > 0 ? `${grouped(assistedEpisodes)} assisted, not scored` : '',
    run.redoneEpisodes > 0 ? `${grouped(run.redoneEpisodes)} redone` : '',
    left,
  ];
  return (
    <div class="metric">
      <span class="metric-label">Episodes</span>
      <span class="metric-value">
        {grouped(settled)}
        <small> / {grouped(run.plannedEpisodes)}</small>
      </span>
      <div
        class="progress"
        role="progressbar"
        aria-label="Episodes"
        aria-valuemin={0}
        aria-valuemax={run.plannedEpisodes}
        aria-valuenow={settled}
      >
        <div class="progress-done" style={{ width: `${share * 100}%` }} />
      </div>
      <span class="metric-note">{notes.filter((note) => note !== '').join(' · ')}</span>
    </div>
  );
}
