import type { RunSummary } from '../../protocol/dashboard-messages.ts';
import { duration, grouped, percent } from '../format.ts';
import { pooledRate } from '../pooled-rate.ts';
import { isActive } from '../state.ts';
import type { Store } from '../store.ts';
import { StatePill } from './run-panel.tsx';

/** Newest first; choosing one shows its scores. */
export function RunsPanel({ store }: { readonly store: Store }) {
  const runs = store.runs.value;
  if (runs.length < 2) return null;
  const shown = store.run.value;
  return (
    <section class="panel" aria-labelledby="runs-title">
      <h2 id="runs-title">Runs</h2>
      <ul class="runs">
        {runs.toReversed().map((run) => (
          <li key={run.run}>
            <button
              type="button"
              class="run-item"
              aria-pressed={run.run === shown?.run}
              onClick={() => (store.chosenRun.value = run.run)}
            >
              <span class="run-item-name">{run.policy}</span>
              <StatePill state={run.state} />
              <span class="run-item-facts">{facts(run)}</span>
              <span class="progress progress-thin" aria-hidden="true">
                <span class="progress-done" style={{ width: `${doneShare(run) * 100}%` }} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function doneShare(run: RunSummary): number {
  return run.plannedEpisodes > 0 ? Math.min(1, run.finishedEpisodes / run.plannedEpisodes) : 0;
}

function facts(run: RunSummary): string {
  const { rate } = pooledRate(run.tasks, 'successAnyTime');
  return [
    run.run,
    `${grouped(run.finishedEpisodes)}/${grouped(run.plannedEpisodes)}`,
    rate === null ? '' : percent(rate),
    isActive(run) && run.secondsLeft !== null ? duration(run.secondsLeft) : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
