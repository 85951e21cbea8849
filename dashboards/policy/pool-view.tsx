import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { taskName } from '../../protocol/task.ts';
import { keyColor } from '../task-color.ts';
import type { Store } from '../store.ts';
import { Bars } from './bars.tsx';
import { HeatMap } from './heat-map.tsx';
import type { ShownDecision, ShownPool } from './policy-feed.ts';
import { SelectionHistory, COLUMN_MS } from './selection-history.ts';

interface PoolViewProps {
  readonly store: Store;
  readonly decision: ShownDecision;
  readonly pool: ShownPool;
}

/** Which modulators are used, by whom and how often, and where keys and queries lie. */
export function PoolView({ store, decision, pool }: PoolViewProps) {
  const { similarities, selected } = decision;
  const keys = similarities.length;
  const width = pool.tasks.length > 0 ? pool.usage.length / pool.tasks.length : 0;
  const used = (row: number, column: number): number => pool.usage[row * width + column] ?? 0;
  const total = (row: number): number =>
    pool.usage.subarray(row * width, (row + 1) * width).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <h4>Selected key of each environment, last minute</h4>
      <Selections store={store} />
      <h4>
        Similarity to every key <span class="faint">key {selected} in use, scale −1 to 1</span>
      </h4>
      <Bars label={`Similarity to ${keys} keys`} values={similarities} chosen={selected} low={-1} high={1} />
      <h4>Use per task</h4>
      <HeatMap
        label="Share of each task's decisions by modulator"
        names={pool.tasks.map(taskName)}
        scale={['none', 'all decisions of the task']}
        rows={pool.tasks.length}
        columns={width}
        at={(row, column) => used(row, column) / Math.max(1, total(row))}
        words={(row, column) =>
          `${taskName(pool.tasks[row] ?? '')}, modulator ${column}: ${used(row, column)} of ${total(row)} decisions`
        }
      />
      <h4>
        Keys and queries{' '}
        <span class="faint">
          axes hold {pool.shares.map((share) => Math.round(share * 100)).join(' + ')} % of the keys' variance
        </span>
      </h4>
      <Plane decision={decision} pool={pool} queries={store.policy.trail.queries} />
    </>
  );
}

function Selections({ store }: { readonly store: Store }) {
  const history = useRef(new SelectionHistory());
  // Selections come with every step; what lies behind a decision may be long in coming on a busy machine.
  const columnsSoFar = useSignal(0);
  useEffect(
    () =>
      store.numbersTick.subscribe(() => {
        if (history.current.sample(store.live, performance.now())) columnsSoFar.value += 1;
      }),
    [store, columnsSoFar],
  );
  const { rows } = history.current;
  const names = [...rows.keys()];
  const columns = Math.max(1, ...[...rows.values()].map((row) => row.length));
  const at = (row: number, column: number): number => rows.get(names[row] ?? '')?.[column] ?? -1;
  const tasks = store.environments.value;
  const chosen = [...new Set([...rows.values()].flat())].filter((key) => key >= 0).sort((a, b) => a - b);
  return (
    <>
      <HeatMap
        label="Selected key by environment and time"
        rows={names.length}
        columns={columns}
        names={names.map((name) => taskName(tasks.get(name)?.task ?? name))}
        at={at}
        color={(row, column) => (at(row, column) < 0 ? null : keyColor(at(row, column)))}
        words={(row, column) => {
          const seconds = ((columns - 1 - column) * COLUMN_MS) / 1000;
          return `${names[row] ?? ''}, ${seconds} s ago: ${at(row, column) < 0 ? 'none' : `key ${at(row, column)}`}`;
        }}
      />
      <p class="key-legend" aria-label="Keys by colour" data-columns={columnsSoFar.value}>
        {chosen.map((key) => (
          <span key={key}>
            <i style={{ background: `rgb(${keyColor(key).join()})` }} /> {key}
          </span>
        ))}
      </p>
    </>
  );
}

interface PlaneProps extends Omit<PoolViewProps, 'store'> {
  readonly queries: readonly (readonly [number, number])[];
}

function Plane({ decision, pool, queries }: PlaneProps) {
  const points = (numbers: Float32Array): [number, number][] =>
    Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i] ?? 0, numbers[2 * i + 1] ?? 0]);
  const keys = points(pool.keys);
  const [query, state] = points(decision.points);
  const every = [...keys, ...queries, ...(state === undefined ? [] : [state])];
  const scale = (axis: 0 | 1): ((point: readonly [number, number]) => number) => {
    const values = every.map((point) => point[axis]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (point) => 4 + (92 * (point[axis] - low)) / Math.max(1e-9, high - low);
  };
  const [x, across] = [scale(0), scale(1)];
  const y = (point: readonly [number, number]): number => 60 - 0.6 * across(point);
  return (
    <svg
      class="plane"
      viewBox="0 0 100 60"
      role="img"
      aria-label={`${keys.length} keys, the query and its way in two dimensions`}
    >
      {keys.map((key, i) => (
        <circle
          key={i}
          cx={x(key)}
          cy={y(key)}
          r={i === decision.selected ? 1.8 : 1}
          fill={`rgb(${keyColor(i).join()})`}
          class={i === decision.selected ? 'selected' : ''}
        >
          <title>key {i}</title>
        </circle>
      ))}
      <polyline points={queries.map((point) => `${x(point)},${y(point)}`).join(' ')} />
      {query !== undefined && (
        <path class="query" d={`M${x(query)} ${y(query) - 2}l2 2-2 2-2-2z`}>
          <title>query: mean of the window's states</title>
        </path>
      )}
      {state !== undefined && (
        <path class="state" d={`M${x(state) - 1.5} ${y(state)}h3m-1.5-1.5v3`}>
          <title>newest state</title>
        </path>
      )}
    </svg>
  );
}
