import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { isActive } from '../state.ts';
import type { Store } from '../store.ts';
import { toggleTheme } from '../theme.ts';
import { Announcer } from './announcer.tsx';
import { ControlBar } from './control-bar.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { EnvironmentGrid } from './environment-grid.tsx';
import { EventLog } from './event-log.tsx';
import { Header } from './header.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { LoadPanel } from './load-panel.tsx';
import { PolicyPanel } from './policy-panel.tsx';
import { RecordingsPanel } from './recordings-panel.tsx';
import { ReplayHost } from './replay-host.tsx';
import { ResultsSection } from './results-section.tsx';
import { RunPanel } from './run-panel.tsx';
import { SuccessTable } from './success-table.tsx';
import { WorkersPanel } from './workers-panel.tsx';

export function App({ store }: { readonly store: Store }) {
  const helpShown = useSignal(false);
  const escape = (): void => {
    if (helpShown.value) helpShown.value = false;
    else store.focused.value = null;
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '?') helpShown.value = !helpShown.value;
      else if (event.key === 'Escape') escape();
      else if (event.key === 'D') toggleTheme();
      else if (event.key === ' ' && !isButton(event.target)) togglePause(store);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [store]);

  return (
    <>
      <a class="skip-link" href="#environments">
        Skip to the environments
      </a>
      <Header store={store} onHelp={() => (helpShown.value = true)} />
      <ConnectionBanner store={store} />
      <main class="page">
        <RunPanel store={store} />
        <ReplayHost store={store} />
        <ControlBar store={store} />
        <div class="columns">
          <EnvironmentGrid store={store} />
          <div class="secondary">
            <LoadPanel store={store} />
            <RecordingsPanel store={store} />
            <WorkersPanel store={store} />
            <EventLog store={store} />
          </div>
        </div>
        <PolicyPanel store={store} />
        <SuccessTable store={store} />
        <ResultsSection store={store} />
      </main>
      <Announcer store={store} />
      {helpShown.value && <HelpDialog onClose={() => (helpShown.value = false)} />}
    </>
  );
}

function togglePause(store: Store): void {
  const run = store.run.value;
  if (run === undefined || !isActive(run) || !store.operator.value) return;
  store.send({ type: 'control', run: run.run, action: run.state === 'paused' ? 'resume' : 'pause' });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

/** A focused button takes the space bar for itself. */
function isButton(target: EventTarget | null): boolean {
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement;
}
