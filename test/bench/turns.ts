import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Milliseconds of each call of one turn. Processor time, of all threads, means more where others use the machine too. */
export interface Times {
  readonly wallMs: readonly number[];
  readonly processorMs: readonly number[];
}

/** One process that computes when it is its turn and otherwise waits. */
export interface Player {
  /** What it said of itself at its start. */
  readonly hello: { readonly library: string };
  ask<Answer>(request: object): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts a process that answers each line of JSON with one; whatever else it writes goes to stderr. */
export async function startPlayer(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Player> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async <Answer>(): Promise<Answer> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${args.join(' ')} ended before it answered`);
    return JSON.parse(line.value) as Answer;
  };
  return {
    hello: await read(),
    ask: (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return read();
    },
    close: () => {
      child.stdin.end();
      return ended;
    },
  };
}

/** One thing that is measured against the others. */
export interface Contestant {
  readonly name: string;
  /** One turn of `calls` calls. */
  readonly turn: (calls: number) => Promise<Times>;
}

/** Median wall time of each round and of the processor, by contestant. */
export type Rounds = ReadonlyMap<string, { readonly wallMs: number[]; readonly processorMs: number[] }>;

export interface RoundOptions {
  readonly rounds: number;
  /** How long one turn shall take. */
  readonly turnMs: number;
}

/** All take turns, round after round, because a machine's speed drifts. The first turn, which warms up, does not count. */
export async function playRounds(
  contestants: readonly Contestant[],
  { rounds, turnMs }: RoundOptions,
): Promise<Rounds> {
  const calls = new Map<string, number>();
  const results = new Map(
    contestants.map(({ name }) => [name, { wallMs: [] as number[], processorMs: [] as number[] }]),
  );
  for (const { name, turn } of contestants) {
    const { wallMs } = await turn(2);
    const last = wallMs.at(-1) ?? turnMs;
    calls.set(name, Math.max(1, Math.min(50, Math.round(turnMs / last))));
  }
  for (let round = 0; round < rounds; round++) {
    for (const { name, turn } of contestants) {
      const times = await turn(calls.get(name) ?? 1);
      results.get(name)?.wallMs.push(median(times.wallMs));
      results.get(name)?.processorMs.push(median(times.processorMs));
    }
  }
  return results;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** `1.52 (1.40–1.61)`: the median of ratios and their range. */
export function spread(ratios: readonly number[]): string {
  const digits = (value: number): string => value.toFixed(2);
  return `${digits(median(ratios))} (${digits(Math.min(...ratios))}–${digits(Math.max(...ratios))})`;
}

/** Round by round, how many times faster `ours` is than `theirs`, where one call of theirs does 1/`share` of the work of ours. */
export function ratiosOf(theirs: readonly number[], ours: readonly number[], share = 1): number[] {
  return ours.map((mine, round) => ((theirs[round] ?? Number.NaN) * share) / mine);
}
