import { actionName } from '../action-names.ts';
import { short } from '../format.ts';
import { Bars } from './bars.tsx';
import type { PolicyTrail, ShownDecision } from './policy-feed.ts';

interface ActionViewProps {
  readonly task: string;
  readonly decision: ShownDecision;
  readonly trail: PolicyTrail;
}

/** The distribution over bins that each action dimension was decoded from, and what was asked for and earned so far. */
export function ActionView({ task, decision, trail }: ActionViewProps) {
  const { bins, binCentres, probabilities, tokens } = decision;
  return (
    <>
      <ul class="dimensions">
        {Array.from(tokens, (token, dimension) => {
          const line = probabilities.subarray(dimension * bins, (dimension + 1) * bins);
          const action = ((token + (binCentres ? 0.5 : 0)) * 2) / bins - 1;
          const facts = `${action.toFixed(2)} with ${((line[token] ?? 0) * 100).toFixed(0)} %, entropy ${entropyBits(line).toFixed(2)} bits`;
          return (
            <li key={dimension} data-dimension={dimension} data-token={token}>
              <b>{actionName(task, dimension)}</b>
              <Bars
                label={`Action ${actionName(task, dimension)}: ${facts}`}
                values={line}
                chosen={token}
                low={0}
                high={Math.max(0.05, ...line)}
              />
              <span class="faint">{facts}</span>
            </li>
          );
        })}
      </ul>
      <p class="axis faint">
        <span>−1</span>
        <span>
          {bins} bins of an action, each row to its own scale; at most {Math.log2(bins)} bits
        </span>
        <span>+1</span>
      </p>
      <TimeLine name="return-to-go" points={trail.returnsToGo} />
      <TimeLine name="reward" points={trail.rewards} />
    </>
  );
}

export function entropyBits(probabilities: Iterable<number>): number {
  let bits = 0;
  for (const share of probabilities) if (share > 0) bits -= share * Math.log2(share);
  return bits;
}

function TimeLine({ name, points }: { readonly name: string; readonly points: ReadonlyMap<number, number> }) {
  const all = [...points].sort(([a], [b]) => a - b);
  const values = all.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [all[0]?.[0] ?? 0, all.at(-1)?.[0] ?? 0];
  const x = (step: number): string => ((100 * (step - first)) / Math.max(1, last - first)).toFixed(2);
  const y = (value: number): string => (29 - (28 * (value - low)) / Math.max(1e-9, high - low)).toFixed(2);
  const facts = values.length > 0 ? `${short(low)} to ${short(high)}, now ${short(values.at(-1) ?? 0)}` : '–';
  return (
    <div class="time-line">
      <span>
        <b>{name}</b> <span class="faint">{facts}</span>
      </span>
      <svg viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label={`${name}, ${facts}`}>
        <polyline points={all.map(([step, value]) => `${x(step)},${y(value)}`).join(' ')} />
      </svg>
      <span class="faint">
        step {first} to {last}
      </span>
    </div>
  );
}
