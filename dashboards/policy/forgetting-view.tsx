import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { PerformanceMatrix, PerformanceRow } from '../../protocol/performance-matrix.ts';
import { taskName } from '../../protocol/task.ts';
import { wholePercent } from '../format.ts';
import { fetchJson } from '../results/fetch-json.ts';

const ASK_EVERY_MS = 5000;

interface Shown {
  readonly matrices: readonly PerformanceMatrix[];
  readonly recorded: boolean;
}

/** What each task is worth after each stage of a continual training, as it is evaluated; a recorded training until there is one. */
export function ForgettingView() {
  const shown = useSignal<Shown | string>('Loading…');
  const chosen = useSignal('');
  useEffect(() => {
    const ask = async (): Promise<void> => {
      try {
        let matrices = await matricesOf('api/continual');
        const recorded = matrices.length === 0;
        if (recorded) matrices = await matricesOf('recorded-matrix.json');
        shown.value = { matrices, recorded };
      } catch (error) {
        shown.value = `No matrix: ${error instanceof Error ? error.message : 'the server does not answer'}.`;
      }
    };
    void ask();
    const timer = setInterval(() => {
      if (!document.hidden) void ask();
    }, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  if (typeof shown.value === 'string') return <p class="empty">{shown.value}</p>;
  const { matrices, recorded } = shown.value;
  const matrix = matrices.find(({ name }) => name === chosen.value) ?? matrices[0];
  if (matrix === undefined) return <p class="empty">No continual training yet: start one with “l2m continual”.</p>;
  return (
    <>
      <p class="choices">
        {matrices.length > 1 && (
          <select
            aria-label="Training"
            value={matrix.name}
            onChange={({ currentTarget }) => (chosen.value = currentTarget.value)}
          >
            {matrices.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <span>
          {recorded && <b>Recorded example: </b>}
          {matrix.method}, seed {matrix.seed}, {matrix.state}
        </span>
      </p>
      <Matrix matrix={matrix} />
    </>
  );
}

function Matrix({ matrix }: { readonly matrix: PerformanceMatrix }) {
  const { sequence, others, rows } = matrix;
  const newest = new Map(rows.map((row) => [`${row.stage} ${row.task}`, row]));
  const stages = Array.from({ length: Math.max(sequence.length, ...rows.map(({ stage }) => stage)) + 1 }, (_, i) => i);
  const tasks = [...new Set([...sequence, ...others])];
  return (
    <div class="table-scroll">
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">task</th>
            {stages.map((stage) => (
              <th
                key={stage}
                scope="col"
                title={stage === 0 ? 'before learning' : `after ${sequence[stage - 1] ?? ''}`}
              >
                {stage === 0 ? 'start' : stage}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <tr key={task} data-task={task}>
              <th scope="row">{taskName(task)}</th>
              {stages.map((stage) => (
                <Cell
                  key={stage}
                  row={newest.get(`${stage} ${task}`)}
                  learned={stage > 0 && sequence[stage - 1] === task}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ row, learned }: { readonly row: PerformanceRow | undefined; readonly learned: boolean }) {
  const value = row?.success ?? row?.score;
  if (row === undefined || value === undefined) return <td class={learned ? 'learned' : ''}>·</td>;
  // With more of the colour the number on it could not be read in the dark.
  const share = Math.round(Math.max(0, Math.min(1, value)) * 45);
  return (
    <td
      class={learned ? 'learned' : ''}
      title={`${row.task} in stage ${row.stage}: ${row.success === null ? `score ${value}` : `${row.k} of ${row.n}`}`}
      style={{ background: `color-mix(in srgb, var(--good) ${share}%, transparent)` }}
    >
      {row.success === null ? value.toFixed(2) : wholePercent(value)}
    </td>
  );
}

async function matricesOf(path: string): Promise<PerformanceMatrix[]> {
  return (await fetchJson<{ matrices: PerformanceMatrix[] }>(path)).matrices;
}
