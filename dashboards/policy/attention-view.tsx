import type { Signal } from '@preact/signals';
import type { AttentionChoice } from '../../protocol/policy-messages.ts';
import { actionName } from '../action-names.ts';
import { percent } from '../format.ts';
import { HeatMap } from './heat-map.tsx';
import type { ShownDecision } from './policy-feed.ts';

interface AttentionViewProps {
  readonly task: string;
  readonly decision: ShownDecision;
  readonly choice: Signal<AttentionChoice | null>;
}

/** What each token of the window looks at in one block and head; computed only while a map is chosen. */
export function AttentionView({ task, decision, choice }: AttentionViewProps) {
  const { attended, attention, blocks, heads, prompts } = decision;
  const wanted = choice.value;
  const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);
  const pick = (change: Partial<AttentionChoice>) => (choice.value = { block: 0, head: 0, ...wanted, ...change });
  const shown = wanted !== null && attended?.block === wanted.block && attended.head === wanted.head;
  const rows = Math.max(1, tokenCount(attention.length, prompts));
  const columns = prompts + rows;
  const nameOf = (token: number): string => tokenName(token, rows, { perStep: decision.tokensPerStep, task });
  return (
    <>
      <p class="choices">
        <label>
          block{' '}
          <select
            value={wanted?.block ?? ''}
            onChange={({ currentTarget: { value } }) =>
              value === '' ? (choice.value = null) : pick({ block: Number(value) })
            }
          >
            <option value="">none</option>
            {names(blocks).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          head{' '}
          <select
            disabled={wanted === null}
            value={wanted?.head ?? 0}
            onChange={({ currentTarget: { value } }) => pick({ head: Number(value) })}
          >
            {names(heads).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </p>
      {wanted === null && <p class="empty">Choose a block: attention is computed only on request.</p>}
      {wanted !== null && !shown && <p class="empty">Computing with the next decision…</p>}
      {shown && (
        <>
          <HeatMap
            label={`Attention of block ${wanted.block}, head ${wanted.head}`}
            rows={rows}
            columns={columns}
            at={(row, column) => (column - prompts > row ? -1 : Math.sqrt(attention[row * columns + column] ?? 0))}
            scale={['0', '1, by square root']}
            words={(row, column) =>
              `${nameOf(row)} looks at ${column < prompts ? `prompt ${column}` : nameOf(column - prompts)}: ${percent(attention[row * columns + column] ?? 0)}`
            }
          />
          <p class="axis faint">
            <span>{prompts > 0 ? 'prompts' : nameOf(0)}</span>
            <span>each row looks at columns</span>
            <span>{nameOf(rows - 1)}</span>
          </p>
        </>
      )}
    </>
  );
}

/** q of a map with q (prompts + q) weights. */
function tokenCount(weights: number, prompts: number): number {
  return Math.round((Math.sqrt(prompts * prompts + 4 * weights) - prompts) / 2);
}

/** Token `token` of `count`, of which the last step is cut short; `now` is the step that was decided. */
export function tokenName(
  token: number,
  count: number,
  { perStep, task }: { readonly perStep: number; readonly task: string },
): string {
  const back = Math.floor((count - 1) / perStep) - Math.floor(token / perStep);
  const place = token % perStep;
  const part =
    place === 0
      ? 'state'
      : place === 1
        ? 'return-to-go'
        : place === perStep - 1
          ? 'reward'
          : actionName(task, place - 2);
  return `${part}, ${back === 0 ? 'now' : `${back} before`}`;
}
