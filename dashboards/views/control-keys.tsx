import { taskName } from '../../protocol/task.ts';
import { bindingsOf } from '../control/bindings.ts';
import type { Store } from '../store.ts';

const HANDS = {
  policy: 'the policy acts; press a key to take over',
  'taking-over': 'taking over',
  person: 'you steer',
  'handing-back': 'handing back',
} as const;

/** Says which key and which axis does what, and who acts now. */
export function ControlKeys({ store }: { readonly store: Store }) {
  const { steering } = store;
  const environment = store.environments.value.get(steering.target.value ?? '');
  if (environment === undefined) return null;
  const { task, key, actionSize = 1 } = environment;
  const hand = store.control.value?.environments.find((each) => each.key === key)?.hand ?? 'policy';
  return (
    <div class="control-keys">
      <p aria-live="polite" data-hand={hand}>
        <strong>{taskName(task)}</strong>: {HANDS[hand]}
        {task.startsWith('dmcontrol/') && ` · dimension ${steering.dimension.value + 1} of ${actionSize}`}
        {steering.gamepad.value !== '' && ' · gamepad'}
      </p>
      <dl>
        {bindingsOf(task, actionSize).map(([keys, gamepad, meaning]) => (
          <div key={meaning}>
            <dt>
              {keys !== '' && <kbd>{keys}</kbd>} <span class="faint">{gamepad}</span>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p class="faint">
        Esc hands back, as do three seconds without a key. Ctrl and drag pulls at a body. Such an episode is not scored.
      </p>
    </div>
  );
}
