import type { DataSets, DataSetView } from '../../protocol/data-sets.ts';
import { grouped, wholePercent } from '../format.ts';
import { usePolled } from '../results/use-polled.ts';

const REFRESH_MS = 10_000;
const HEADS = ['Data set', 'Episodes', 'Transitions', 'Success, any time', 'At the end', 'Returns', 'Hash'];

/** Every data set of the server's data directory; those that are being collected grow. */
export function DataPanel() {
  const polled = usePolled<DataSets>('api/data', REFRESH_MS);
  if (polled.kind === 'loading') return <p class="empty runs-note">Reading…</p>;
  if (polled.kind === 'failed') return <p class="empty runs-note bad">No list of data: {polled.reason}</p>;
  const { sets, damaged } = polled.value;
  if (sets.length + damaged.length === 0) return <p class="empty runs-note">Nothing yet: “l2m collect” collects.</p>;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Data sets">
      <table class="scores runs-table">
        <thead>
          <tr>
            {HEADS.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sets.map((set) => (
            <DataRow key={`${set.task} ${set.source}`} set={set} />
          ))}
        </tbody>
      </table>
      {damaged.map(({ file, message }) => (
        <p key={file} class="runs-note bad">
          {message}
        </p>
      ))}
    </div>
  );
}

function DataRow({ set }: { readonly set: DataSetView }) {
  const { task, source, episodes, unfinishedEpisodes, sha256 } = set;
  return (
    <tr data-set={`${task} ${source}`}>
      <th scope="row">
        {task} <span class="run-name">{source}</span>
      </th>
      <td class="number">
        {grouped(episodes)}
        {unfinishedEpisodes > 0 && <span class="faint"> {`(${grouped(unfinishedEpisodes)} collecting)`}</span>}
      </td>
      <td class="number">{grouped(set.transitions)}</td>
      <td class="number">{share(set.successAnyTime)}</td>
      <td class="number">{share(set.successAtEnd)}</td>
      <td>
        <Histogram set={set} />
      </td>
      <td>
        <details>
          <summary>{sha256?.slice(0, 8) ?? '–'}</summary>
          <pre>{JSON.stringify({ sha256, ...set.provenance }, null, 1)}</pre>
        </details>
      </td>
    </tr>
  );
}

function share(rate: number | null): string {
  return rate === null ? '–' : wholePercent(rate);
}

function Histogram({ set: { returns, meanReturn } }: { readonly set: DataSetView }) {
  if (returns === null) return <>–</>;
  const { low, high, counts } = returns;
  const most = Math.max(...counts);
  const bars = counts.map((count, bin) => `M${bin * 5} 20v${-Math.ceil((count / most) * 20)}h4V20`).join('');
  const words = `${low.toFixed(0)} to ${high.toFixed(0)}, mean ${meanReturn.toFixed(0)}`;
  return (
    <>
      <svg width={counts.length * 5} height="20" role="img" aria-label={`Returns from ${words}`}>
        <path d={bars} fill="currentColor" />
      </svg>{' '}
      <span class="faint">{words}</span>
    </>
  );
}
