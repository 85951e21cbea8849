import { useEffect } from 'preact/hooks';
import { useComputed, useSignal } from '@preact/signals';
import type { AttentionChoice } from '../../protocol/policy-messages.ts';
import { taskName } from '../../protocol/task.ts';
import type { Store } from '../store.ts';
import { ActionView } from './action-view.tsx';
import { AttentionView } from './attention-view.tsx';
import { ForgettingView } from './forgetting-view.tsx';
import { PoolView } from './pool-view.tsx';

/** All views of the policy; while they are shown the server is asked for decisions of one environment. */
export function PolicyViews({ store }: { readonly store: Store }) {
  const chosen = useSignal('');
  const attention = useSignal<AttentionChoice | null>(null);
  const environments = [...store.environments.value.values()];
  const watched = useComputed(() => {
    const all = store.environments.value;
    const wanted = [chosen.value, store.focused.value ?? ''].find((each) => all.has(each));
    return wanted ?? [...all.keys()][0] ?? null;
  });
  const key = watched.value;
  useEffect(() => store.policy.watch(key, attention.value), [store, key, attention.value]);
  useEffect(() => () => store.policy.watch(null, null), [store]);
  const decision = store.policy.decision.value;
  const pool = store.policy.pool.value;
  const task = store.environments.value.get(key ?? '')?.task ?? '';
  const empty = (
    <p class="empty">
      {store.policy.reason.value || (key === null ? 'No environment is running.' : 'Waiting for a decision…')}
    </p>
  );
  return (
    <>
      {key !== null && (
        <p class="choices">
          <label>
            Environment{' '}
            <select value={key} onChange={({ currentTarget }) => (chosen.value = currentTarget.value)}>
              {environments.map((each) => (
                <option key={each.key} value={each.key}>
                  {taskName(each.task)} ({each.key})
                </option>
              ))}
            </select>
          </label>
          {decision !== null && <span class="faint">decided at step {decision.step}</span>}
        </p>
      )}
      <div class="policy-views" data-step={decision?.step}>
        <section aria-label="Action" data-view="action">
          <h3>Action</h3>
          {decision === null ? empty : <ActionView task={task} decision={decision} trail={store.policy.trail} />}
        </section>
        <section aria-label="Pool" data-view="pool">
          <h3>Pool</h3>
          {decision === null || pool === null || pool.keys.length === 0 ? (
            <p class="empty">
              {decision !== null && decision.similarities.length === 0
                ? 'This policy has no pool.'
                : 'Nothing to see yet.'}
            </p>
          ) : (
            <PoolView store={store} decision={decision} pool={pool} />
          )}
        </section>
        <section aria-label="Attention" data-view="attention">
          <h3>Attention</h3>
          {decision === null ? empty : <AttentionView task={task} decision={decision} choice={attention} />}
        </section>
        <section aria-label="Forgetting" data-view="forgetting">
          <h3>Forgetting</h3>
          <ForgettingView />
        </section>
      </div>
    </>
  );
}
