import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { currentBackend, describeBackend } from './backend.ts';

/** How a captured function runs: compiled by XLA, or as TensorFlow's own graph with oneDNN's products. */
export type GraphForm = 'xla' | 'graph';

export interface FormRace {
  /** What is compiled, so that the answer can be found again: everything that its cost depends on. */
  readonly work: string;
  /** Milliseconds of one run in that form; called a few times in turns. */
  readonly prepare: (form: GraphForm) => { readonly runMs: () => number; readonly dispose: () => void };
  /** File with earlier answers; default `.l2m/forms.json` of this checkout. */
  readonly file?: string;
}

const FILE = fileURLToPath(new URL('../../.l2m/forms.json', import.meta.url));
const ROUNDS = 4;

/**
 * The faster form of a function on this machine, by a short race the first time and from memory afterwards: XLA joins small
 * operations, which decides for narrow models, while wide ones live on their products, which oneDNN may do better.
 */
export function fastestForm({ work, prepare, file = FILE }: FormRace): GraphForm {
  const backend = currentBackend();
  if (!backend.capture || !backend.xla) return 'graph';
  const key = [work, describeBackend(backend), cpus()[0]?.model ?? ''].join(' | ');
  const known = answers(file);
  const before = known[key];
  if (before === 'xla' || before === 'graph') return before;
  const faster = race(prepare);
  remember(file, { ...known, [key]: faster });
  return faster;
}

function race(prepare: FormRace['prepare']): GraphForm {
  const forms = ['xla', 'graph'] as const;
  const runners = forms.map((form) => ({ form, ...prepare(form), bestMs: Number.POSITIVE_INFINITY }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const runner of runners) runner.bestMs = Math.min(runner.bestMs, runner.runMs());
  }
  for (const { dispose } of runners) dispose();
  return runners.reduce((best, one) => (one.bestMs < best.bestMs ? one : best)).form;
}

function answers(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Where it cannot be written, the next start races again. */
function remember(file: string, all: Record<string, unknown>): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
  } catch {
    return;
  }
}
