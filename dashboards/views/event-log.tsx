import type { EpisodeEnded } from '../../protocol/dashboard-messages.ts';
import { taskName } from '../../protocol/task.ts';
import { clockTime, grouped, short } from '../format.ts';
import type { LogEvent } from '../state.ts';
import type { Store } from '../store.ts';
import { CheckIcon, CrossIcon, WarningIcon } from './icons.tsx';

const MOST_SHOWN = 80;

/** Newest first. */
export function EventLog({ store }: { readonly store: Store }) {
  const entries = store.log.value.slice(-MOST_SHOWN).reverse();
  return (
    <section class="panel log-panel" aria-labelledby="log-title">
      <h2 id="log-title">Events</h2>
      {entries.length === 0 ? (
        <p class="empty">Finished episodes and messages appear here.</p>
      ) : (
        <div class="log" tabIndex={0} role="log" aria-labelledby="log-title" aria-live="off">
          <ol>
            {entries.map((entry) => (
              <LogItem key={entry.sequence} entry={entry} />
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}

function LogItem({ entry }: { readonly entry: LogEvent }) {
  if (entry.type === 'notice') {
    return (
      <li class={`log-item log-${entry.level}`}>
        {entry.level === 'info' ? <span class="log-bullet" aria-hidden="true" /> : <WarningIcon />}
        <span>
          <time class="faint">{clockTime(entry.at)}</time> {entry.text}
        </span>
      </li>
    );
  }
  return (
    <li class={`log-item log-${entry.outcome}`}>
      <OutcomeIcon outcome={entry.outcome} />
      <span>
        <span class="log-task">{taskName(entry.task)}</span> <span class="faint">start {entry.start}</span>{' '}
        {outcomeWords(entry)}
      </span>
    </li>
  );
}

export function OutcomeIcon({ outcome }: { readonly outcome: EpisodeEnded['outcome'] }) {
  switch (outcome) {
    case 'success':
      return <CheckIcon />;
    case 'failure':
      return <CrossIcon />;
    case 'scored':
      return <span class="log-bullet" aria-hidden="true" />;
    case 'error':
      return <WarningIcon />;
  }
}

function outcomeWords(event: EpisodeEnded): string {
  switch (event.outcome) {
    case 'success':
      return event.firstSuccessStep === null ? 'success' : `success at step ${grouped(event.firstSuccessStep)}`;
    case 'failure':
      return `no success in ${grouped(event.length)} steps`;
    case 'scored':
      return `return ${short(event.return)}`;
    case 'error':
      return event.message === '' ? 'error' : `error: ${event.message}`;
  }
}
