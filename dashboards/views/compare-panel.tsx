import { Fragment } from 'preact';
import { useSignal } from '@preact/signals';
import type { ComparedScore, Comparison, PairedReturns, PairedSuccess } from '../../protocol/comparison.ts';
import { taskName } from '../../protocol/task.ts';
import { grouped, short, wholePercent } from '../format.ts';
import { pointsWords, pWords, signed, verdictOf } from '../results/difference-words.ts';
import { usePolled } from '../results/use-polled.ts';
import { dotOf } from '../task-color.ts';

const REFRESH_MS = 5000;

type Measure = 'AnyTime' | 'AtEnd' | 'Return';
const MEASURES: readonly (readonly [Measure, string])[] = [
  ['AtEnd', 'success at the end'],
  ['AnyTime', 'success at any time'],
  ['Return', 'return'],
];

interface ComparePanelProps {
  /** The first is the baseline. */
  readonly runs: readonly string[];
  readonly onClose: () => void;
}

/** Runs against the first of them, start by start. */
export function ComparePanel({ runs, onClose }: ComparePanelProps) {
  const measure = useSignal<Measure>('AtEnd');
  const polled = usePolled<Comparison>(`api/compare?runs=${runs.map(encodeURIComponent).join()}`, REFRESH_MS);
  return (
    <section class="panel table-panel compare" aria-labelledby="compare-title">
      <div class="runs-heading">
        <h2 id="compare-title">Comparison</h2>
        <select
          aria-label="Compare by"
          value={measure.value}
          onChange={(event) => (measure.value = event.currentTarget.value as Measure)}
        >
          {MEASURES.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        <button type="button" class="button compare-close" onClick={onClose}>
          Close
        </button>
      </div>
      {polled.kind === 'loading' && <p class="empty runs-note">Loading…</p>}
      {polled.kind === 'failed' && <p class="empty runs-note bad">Cannot compare: {polled.reason}</p>}
      {polled.kind === 'ready' && <ComparisonTable comparison={polled.value} measure={measure.value} />}
      <p class="runs-note faint">
        Pairs are episodes from the same start in both runs. Success: difference in percentage points with its 95 %
        interval (Newcombe) and the exact McNemar test. Return: median difference with its 95 % interval and the exact
        sign test. p is adjusted for the number of tasks (Holm); “no clear difference” means p ≥ 0.05.
      </p>
    </section>
  );
}

function ComparisonTable({ comparison, measure }: { readonly comparison: Comparison; readonly measure: Measure }) {
  const { runs, overall, tasks } = comparison;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-labelledby="compare-title">
      <table class="scores">
        <thead>
          <tr>
            <th scope="col">Task</th>
            {runs.map((run, index) => (
              <th key={run.run} scope="col" colSpan={index === 0 ? 1 : 2}>
                <span class="compare-policy">{run.policy}</span>
                <span class="run-name">
                  {index === 0 ? 'baseline · ' : ''}
                  {run.run}
                </span>
                {run.unpaired !== '' && <span class="warn run-name">not paired: {run.unpaired}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <CompareRow name="All tasks" scores={overall} measure={measure} />
          {tasks.map(({ task, scores }) => (
            <CompareRow key={task} name={taskName(task)} dot={dotOf(task)} {...{ scores, measure }} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface CompareRowProps {
  readonly name: string;
  readonly dot?: ReturnType<typeof dotOf>;
  readonly scores: readonly ComparedScore[];
  readonly measure: Measure;
}

function CompareRow({ name, dot, scores, measure }: CompareRowProps) {
  return (
    <tr data-compare-row={name}>
      <th scope="row">
        {dot !== undefined && <span class="task-dot" style={dot} aria-hidden="true" />}
        {name}
      </th>
      {scores.map((score, index) => (
        <Fragment key={index}>
          <td class="number">
            <OwnScore score={score} measure={measure} />
          </td>
          {index > 0 && (
            <td class="difference">
              <Difference score={score} measure={measure} />
            </td>
          )}
        </Fragment>
      ))}
    </tr>
  );
}

function OwnScore({ score, measure }: { readonly score: ComparedScore; readonly measure: Measure }) {
  if (measure === 'Return') {
    return <>{score.meanReturn === null ? '–' : short(score.meanReturn)}</>;
  }
  const rate = score[`success${measure}`];
  if (rate.rate === null) return <span class="faint">–</span>;
  return (
    <>
      {wholePercent(rate.rate)} <span class="faint">{`${grouped(rate.successes)}/${grouped(rate.episodes)}`}</span>
    </>
  );
}

function Difference({ score, measure }: { readonly score: ComparedScore; readonly measure: Measure }) {
  if (measure === 'Return') {
    return score.pairedReturns === null ? (
      <span class="faint">–</span>
    ) : (
      <ReturnDifference paired={score.pairedReturns} />
    );
  }
  const paired = score[`paired${measure}`];
  return paired === null ? <span class="faint">–</span> : <SuccessDifference paired={paired} />;
}

function SuccessDifference({ paired }: { readonly paired: PairedSuccess }) {
  const { both, gained, lost, neither, interval } = paired;
  const words = `both ${both}, only this run ${gained}, only the baseline ${lost}, neither ${neither}`;
  return (
    <span title={words}>
      {pointsWords(paired.difference)}{' '}
      <span class="faint">
        [{pointsWords(interval.low)}, {pointsWords(interval.high)}] {`+${gained} −${lost}`} of{' '}
        {both + gained + lost + neither}
      </span>{' '}
      <Verdict paired={paired} />
    </span>
  );
}

function ReturnDifference({ paired }: { readonly paired: PairedReturns }) {
  const digits = Math.abs(paired.median) >= 100 ? 0 : 2;
  const { interval } = paired;
  return (
    <span
      title={`mean ${signed(paired.mean, digits)}; higher in ${paired.higher}, lower in ${paired.lower} of ${paired.pairs}`}
    >
      {signed(paired.median, digits)}{' '}
      <span class="faint">
        {interval !== null && `[${signed(interval.low, digits)}, ${signed(interval.high, digits)}]`}{' '}
        {`↑${paired.higher} ↓${paired.lower}`} of {paired.pairs}
      </span>{' '}
      <Verdict paired={paired} />
    </span>
  );
}

function Verdict({ paired }: { readonly paired: PairedSuccess | PairedReturns }) {
  const verdict = verdictOf(paired);
  const words = verdict === 'unclear' ? 'no clear difference' : verdict;
  return (
    <span class={`verdict verdict-${verdict}`}>
      {words}, {pWords(paired.adjustedPValue)}
    </span>
  );
}
