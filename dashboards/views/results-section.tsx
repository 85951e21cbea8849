import { useSignal } from '@preact/signals';
import { addressWithChosen, chosenInAddress, type RunRow } from '../results/run-rows.ts';
import { fetchStoredRun } from '../results/stored-run.ts';
import type { Store } from '../store.ts';
import { ComparePanel } from './compare-panel.tsx';
import { CurvesPanel } from './curves-panel.tsx';
import { DataSection } from './data-section.tsx';
import { RunsTable } from './runs-table.tsx';

/** As many as the server compares at once. */
const MOST_COMPARED = 8;

/** All runs there have been, some of them against each other, and how trainings go. */
export function ResultsSection({ store }: { readonly store: Store }) {
  const chosen = useSignal<readonly string[]>(chosenInAddress(location.search));
  const trainings = useSignal<readonly RunRow[]>([]);
  const choose = (runs: readonly string[]): void => {
    chosen.value = runs.slice(0, MOST_COMPARED);
    history.replaceState(null, '', addressWithChosen(location.href, chosen.value));
  };
  return (
    <>
      <RunsTable
        store={store}
        chosen={chosen.value}
        onChoose={choose}
        onShow={(run) => void show(store, run)}
        onListed={(rows) => {
          trainings.value = rows.filter((row) => isTraining(row));
        }}
      />
      {chosen.value.length > 1 && <ComparePanel runs={chosen.value} onClose={() => choose([])} />}
      <CurvesPanel trainings={trainings.value} chosen={chosen.value} />
      <DataSection />
    </>
  );
}

function isTraining({ kind }: RunRow): boolean {
  return kind !== 'evaluate' && kind !== 'collect';
}

async function show(store: Store, row: RunRow): Promise<void> {
  if (isTraining(row)) {
    document.getElementById('curves-title')?.scrollIntoView();
    return;
  }
  if (!store.runs.peek().some(({ run }) => run === row.run)) {
    store.storedRun.value = await fetchStoredRun(row.run).catch(() => null);
  }
  store.chosenRun.value = row.run;
  document.querySelector('main')?.scrollIntoView();
}
