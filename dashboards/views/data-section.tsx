import type { ComponentType } from 'preact';
import { useSignal } from '@preact/signals';

/** What has been collected; nothing of it is loaded or asked for before somebody opens it. */
export function DataSection() {
  const view = useSignal<ComponentType | null>(null);
  const load = async (): Promise<void> => {
    const { DataPanel } = await import('./data-panel.tsx');
    view.value = DataPanel;
  };
  const Panel = view.value;
  return (
    <details class="panel table-panel" id="data" onToggle={() => void load()}>
      <summary class="runs-heading">
        <h2>Data</h2>
      </summary>
      {Panel !== null && <Panel />}
    </details>
  );
}
