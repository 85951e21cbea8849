import { short } from '../format.ts';

/** As `GET /api/runs/:run/metrics` gives it: by name, then by step. */
export interface MetricPoint {
  readonly step: number;
  readonly name: string;
  readonly value: number;
}

/** One chart: values against steps, and where it was measured the same on episodes kept back. */
export interface Curves {
  readonly name: string;
  readonly words: string;
  readonly steps: readonly number[];
  /** One or two lines over all of `steps`; null where a line has no value. */
  readonly series: readonly (readonly (number | null)[])[];
  /** Newest values in words. */
  readonly newest: string;
  /** The same for those who cannot see the chart. */
  readonly description: string;
}

const WORDS: Readonly<Record<string, string>> = {
  loss: 'loss',
  heldOutLoss: 'loss on held-out episodes',
  learningRate: 'learning rate',
  gradientNorm: 'gradient norm',
  windowsPerSecond: 'windows/s',
  updatesPerSecond: 'updates/s',
  criticLoss: 'critic loss',
  trainingReturn: 'return while learning',
};
/** Drawn into the chart of the second, dashed. */
const BESIDE: Readonly<Record<string, string>> = { heldOutLoss: 'loss' };

export function curvesOf(points: readonly MetricPoint[]): Curves[] {
  const byName = new Map<string, Map<number, number>>();
  for (const { name, step, value } of points) {
    const values = byName.get(name) ?? new Map<number, number>();
    byName.set(name, values.set(step, value));
  }
  const beside = (name: string) => [...byName.keys()].filter((other) => BESIDE[other] === name);
  return [...byName.keys()]
    .filter((name) => !byName.has(BESIDE[name] ?? ''))
    .map((name) => curvesNamed([name, ...beside(name)], byName));
}

function curvesNamed(names: readonly string[], byName: ReadonlyMap<string, ReadonlyMap<number, number>>): Curves {
  const lines = names.map((name) => byName.get(name) ?? new Map<number, number>());
  const steps = [...new Set(lines.flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
  const [name = ''] = names;
  const words = WORDS[name] ?? name;
  const newest = lines.map((line) => valueWords([...line.values()].at(-1) ?? 0)).join(' / ');
  const all = names.map((each) => WORDS[each] ?? each).join(' and ');
  return {
    ...{ name, words: names.length > 1 ? `${words} / held out` : words, steps, newest },
    series: lines.map((line) => steps.map((step) => line.get(step) ?? null)),
    description: `${all} over ${steps.length} points to step ${steps.at(-1) ?? 0}, now ${newest}`,
  };
}

/** Small values such as learning rates keep their digits. */
function valueWords(value: number): string {
  return value !== 0 && Math.abs(value) < 0.01 ? value.toExponential(1) : short(value);
}
