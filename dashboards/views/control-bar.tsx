import { useEffect } from 'preact/hooks';
import { useSignal, type Signal } from '@preact/signals';
import type { ControlUpdated, SimulationCommand } from '../../protocol/control-messages.ts';
import { taskName } from '../../protocol/task.ts';
import { isActive } from '../state.ts';
import type { Store } from '../store.ts';
import { ControlKeys } from './control-keys.tsx';

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10] as const;
const WHOLE_RUN = '';

/** Who controls, and what whoever controls can do. */
export function ControlBar({ store }: { readonly store: Store }) {
  const control = store.control.value;
  const focused = useSignal(WHOLE_RUN);
  useFocus(store, focused);
  useEffect(() => {
    if (control?.seat !== 'mine') store.steering.stop();
  }, [control?.seat]);
  const run = store.run.value;
  if (control === null || run === undefined || !isActive(run)) return null;
  return (
    <section class="control" aria-label="Control of the simulations">
      <Seat store={store} control={control} />
      {control.seat === 'mine' && <Commands store={store} control={control} focused={focused} />}
      {control.seat === 'mine' && store.steering.target.value !== null && <ControlKeys store={store} />}
    </section>
  );
}

function Seat({ store, control }: { readonly store: Store; readonly control: ControlUpdated }) {
  const { seat, controller, waiting, asked, stealable } = control;
  const ask = (action: 'request' | 'release' | 'grant' | 'steal', words: string) => (
    <button
      type="button"
      class="button"
      disabled={!store.operator.value || !store.connected.value}
      title={store.operator.value ? undefined : 'Needs the operator token'}
      onClick={() => store.send({ type: 'control-seat', action })}
    >
      {words}
    </button>
  );
  if (seat === 'free') {
    return (
      <div class="control-seat" data-seat={seat}>
        <span>Nobody is in control</span>
        {ask('request', 'Take control')}
      </div>
    );
  }
  if (seat === 'mine') {
    return (
      <div class="control-seat" data-seat={seat}>
        <strong>You are in control</strong>
        {waiting > 0 && (
          <span class="control-asked">{waiting === 1 ? 'another page asks' : `${waiting} pages ask`}</span>
        )}
        {waiting > 0 && ask('grant', 'Hand over')}
        {ask('release', 'Release')}
      </div>
    );
  }
  return (
    <div class="control-seat" data-seat={seat}>
      <span>
        <strong>{controller}</strong> is in control{stealable ? ', silent for a while' : ''}
      </span>
      {stealable
        ? ask('steal', 'Take over')
        : asked
          ? ask('release', 'Do not ask any more')
          : ask('request', 'Ask for control')}
    </div>
  );
}

interface CommandsProps {
  readonly store: Store;
  readonly control: ControlUpdated;
  readonly focused: Signal<string>;
}

function Commands({ store, control, focused }: CommandsProps) {
  const environments = [...store.environments.value.values()].filter(({ run }) => run === store.run.value?.run);
  const key = environments.some((each) => each.key === focused.value) ? focused.value : WHOLE_RUN;
  const run = store.run.value?.run ?? '';
  const handled = control.environments.find((each) => each.key === key);
  const paused = key === WHOLE_RUN ? store.run.value?.state === 'paused' : handled?.paused === true;
  const runSpeed = control.speeds.find((each) => each.run === run)?.speed ?? null;
  const speed = handled?.speed ?? runSpeed;
  const steered = store.steering.target.value;
  const send = (command: SimulationCommand): void => {
    const target = key === WHOLE_RUN ? ({ kind: 'run', run } as const) : ({ kind: 'environment', key } as const);
    store.send({ type: 'control-simulation', target, command });
  };
  const plain = (kind: 'pause' | 'resume' | 'step' | 'reset', words: string) => (
    <button type="button" class="button" data-command={kind} onClick={() => send({ kind })}>
      {words}
    </button>
  );
  return (
    <div class="control-commands">
      <label>
        <span class="visually-hidden">What is controlled</span>
        <select value={key} onChange={(event) => (focused.value = event.currentTarget.value)}>
          <option value={WHOLE_RUN}>All environments</option>
          {environments.map((each) => (
            <option key={each.key} value={each.key}>
              {taskName(each.task)} · {each.key}
            </option>
          ))}
        </select>
      </label>
      {paused ? plain('resume', 'Resume') : plain('pause', 'Pause')}
      {plain('step', 'Step')}
      {plain('reset', 'Reset')}
      <label>
        Speed{' '}
        <select
          value={speed === null ? '' : String(speed)}
          onChange={({ currentTarget: { value } }) =>
            send({ kind: 'speed', speed: value === '' ? null : Number(value) })
          }
        >
          {SPEEDS.map((each) => (
            <option key={each} value={String(each)}>
              {each}×
            </option>
          ))}
          <option value="">as fast as possible</option>
        </select>
      </label>
      <button
        type="button"
        class={steered === null ? 'button' : 'button button-on'}
        data-command="steer"
        aria-pressed={steered !== null}
        disabled={key === WHOLE_RUN && steered === null}
        title={key === WHOLE_RUN ? 'Choose one environment first' : 'By keyboard or gamepad (T)'}
        onClick={() => toggleSteering(store, key)}
      >
        Steer
      </button>
    </div>
  );
}

function toggleSteering(store: Store, key: string): void {
  if (store.steering.target.peek() !== null) store.steering.stop();
  else if (key !== WHOLE_RUN) store.steering.start(key);
}

/** The environment that was last touched is the one that is controlled. T steers it. */
function useFocus(store: Store, focused: Signal<string>): void {
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const touched = ({ target }: Event): void => {
      const key = target instanceof Element ? target.closest<HTMLElement>('[data-key]')?.dataset['key'] : undefined;
      if (key !== undefined) focused.value = key;
    };
    addEventListener('focusin', touched, { signal });
    addEventListener('pointerdown', touched, { signal, capture: true });
    addEventListener(
      'keydown',
      (event) => {
        const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !(event.target instanceof HTMLInputElement);
        if (event.code === 'KeyT' && plain && store.control.peek()?.seat === 'mine')
          toggleSteering(store, focused.peek());
      },
      { signal },
    );
    return () => controller.abort();
  }, [store]);
}
