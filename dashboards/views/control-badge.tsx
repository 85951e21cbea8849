import { useComputed } from '@preact/signals';
import type { HandledEnvironment } from '../../protocol/control-messages.ts';
import type { Store } from '../store.ts';

/** What is out of the ordinary in one environment, in words, on its tile. */
export function ControlBadge({ store, environment }: { readonly store: Store; readonly environment: string }) {
  const words = useComputed(() => {
    const handled = store.control.value?.environments.find(({ key }) => key === environment);
    return handled === undefined ? '' : wordsOf(handled);
  }).value;
  if (words === '') return null;
  return (
    <span class="control-badge" title="A person's part in this episode keeps it out of every score">
      {words}
    </span>
  );
}

function wordsOf({ paused, speed, hand, dragged, assisted }: HandledEnvironment): string {
  const words = [
    paused ? 'paused' : '',
    speed === null ? '' : `${speed}×`,
    dragged ? 'pulled' : '',
    hand === 'policy' ? '' : 'steered',
    assisted ? 'assisted' : '',
  ];
  return words.filter((word) => word !== '').join(' · ');
}
