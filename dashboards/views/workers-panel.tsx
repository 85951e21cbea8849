import type { WorkerView } from '../../protocol/dashboard-views.ts';
import { plural, siNumber } from '../format.ts';
import type { Store } from '../store.ts';

const STATE_WORDS: Readonly<Record<WorkerView['state'], string>> = {
  starting: 'starting',
  ready: 'ready',
  lost: 'lost',
  gone: 'gone',
};

export function WorkersPanel({ store }: { readonly store: Store }) {
  const workers = store.workers.value;
  return (
    <section class="panel" aria-labelledby="workers-title">
      <h2 id="workers-title">
        Simulators <span class="count">{workers.length > 0 ? workers.length : ''}</span>
      </h2>
      {workers.length === 0 ? (
        <p class="empty">No simulator worker has connected yet.</p>
      ) : (
        <ul class="workers">
          {workers.map((worker) => (
            <WorkerItem key={worker.worker} worker={worker} />
          ))}
        </ul>
      )}
    </section>
  );
}

function WorkerItem({ worker }: { readonly worker: WorkerView }) {
  return (
    <li class={`worker worker-${worker.state}`}>
      <span class="worker-dot" aria-hidden="true" />
      <span class="worker-name">{worker.worker}</span>
      <span class="worker-state">{STATE_WORDS[worker.state]}</span>
      <span class="worker-figures">
        {siNumber(worker.stepsPerSecond)} steps/s · {plural(worker.environments, 'environment')}
        {worker.processId > 0 && <> · pid {worker.processId}</>}
        {worker.restarts > 0 && <span class="warn"> · {plural(worker.restarts, 'restart')}</span>}
      </span>
      {worker.message !== '' && <p class="worker-message">{worker.message}</p>}
    </li>
  );
}
