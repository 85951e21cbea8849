/**
 * What the server costs: one worker's simulators alone, the same through the whole server with a no-op policy, and with a
 * model; in turns within one run, because the machine's speed drifts.
 * `npm run bench -- step [--rounds 5] [--environments 64] [--episodes 3] [--checkpoint FOLDER|none] [--tasks LIST]`
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import type { LoadView } from '../../protocol/dashboard-views.ts';
import type { TaskId } from '../../protocol/task.ts';
import { shippedCheckpoint } from '../../server/cli/default-checkpoint.ts';
import { pythonOfSetup } from '../../server/simulators/python.ts';
import type { PolicyChoice } from '../../server/rollouts/run-request.ts';
import { liveServer } from '../support/live-server.ts';

const HORIZON = 200;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    environments: { type: 'string', default: '64' },
    episodes: { type: 'string', default: '3' },
    checkpoint: { type: 'string', default: shippedCheckpoint('mt10') },
    tasks: { type: 'string', default: 'reach-v3,walker-walk' },
  },
});
const [rounds, environments, episodes] = [flags.rounds, flags.environments, flags.episodes].map(Number) as [
  number,
  number,
  number,
];

const withModel = flags.checkpoint !== 'none';
const model: PolicyChoice = { kind: 'checkpoint', folder: flags.checkpoint };

async function bareSimulators(task: TaskId) {
  const script = fileURLToPath(new URL('../../sim-bridge/bench/bare.py', import.meta.url));
  const process_ = spawn(pythonOfSetup(), [script, task, String(environments), String(episodes), String(HORIZON)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  });
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    rate: async () => {
      process_.stdin.write('run\n');
      const { steps, seconds } = JSON.parse(String((await lines.next()).value)) as { steps: number; seconds: number };
      return steps / seconds;
    },
    close: () => process_.stdin.end(),
  };
}

async function measure(task: TaskId): Promise<void> {
  const bare = await bareSimulators(task);
  const server = await liveServer({ workers: 1, environments });
  const rateWith = async (policy: PolicyChoice, episodesEach: number): Promise<{ rate: number; load: LoadView }> => {
    const startMs = performance.now();
    const handle = await server.runs.start({
      ...{ kind: 'evaluate', tasks: [task], episodes: episodesEach * environments, protocol: 'l2m-paper', seed: 7 },
      ...{ policy, firstStart: 0, horizon: HORIZON },
    });
    const summary = await handle.over;
    return { rate: summary.steps / ((performance.now() - startMs) / 1000), load: server.telemetry.load() };
  };
  try {
    await bare.rate();
    await rateWith({ kind: 'zero' }, 1);
    if (withModel) await rateWith(model, 1);
    const noOpRatios: number[] = [];
    const modelRatios: number[] = [];
    const rates: number[][] = [];
    let loads: { zero?: LoadView; model?: LoadView } = {};
    for (let round = 0; round < rounds; round++) {
      const alone = await bare.rate();
      const noOp = await rateWith({ kind: 'zero' }, episodes);
      // A tenth of the speed: one episode for each environment takes long enough.
      const trained = withModel ? await rateWith(model, 1) : undefined;
      noOpRatios.push(noOp.rate / alone);
      rates.push([alone, noOp.rate, trained?.rate ?? 0]);
      modelRatios.push((trained?.rate ?? 0) / alone);
      loads = { zero: noOp.load, ...(trained === undefined ? {} : { model: trained.load }) };
    }
    report(task, { noOpRatios, modelRatios, rates, loads });
  } finally {
    bare.close();
    await server.close();
  }
}

interface Measured {
  readonly noOpRatios: readonly number[];
  readonly modelRatios: readonly number[];
  readonly rates: readonly (readonly number[])[];
  readonly loads: { zero?: LoadView; model?: LoadView };
}

function report(task: TaskId, { noOpRatios, modelRatios, rates, loads }: Measured): void {
  const column = (index: number) => median(rates.map((row) => row[index] ?? 0)).toFixed(0);
  process.stdout.write(
    `${task}, ${environments} environments in one worker, ${rounds} rounds of ${episodes} episodes of ${HORIZON} steps\n` +
      `  simulators alone          ${column(0).padStart(7)} steps/s\n` +
      `  server, no-op policy      ${column(1).padStart(7)} steps/s   ${spread(noOpRatios)} of the simulators alone\n` +
      `  server, model             ${column(2).padStart(7)} steps/s   ${spread(modelRatios)} of the simulators alone\n` +
      `  no-op: ${shares(loads.zero)}\n  model: ${shares(loads.model)}\n`,
  );
}

function shares(load: LoadView | undefined): string {
  if (load === undefined) return 'not measured';
  const { simulateMs, transportMs, decideMs, totalMs, batchSize } = load;
  return (
    `of ${totalMs.toFixed(1)} ms between two observations: simulate ${simulateMs.toFixed(1)}, ` +
    `transport and queues ${transportMs.toFixed(1)}, decide ${decideMs.toFixed(1)} ms a batch of ${batchSize}`
  );
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

for (const task of expandTasks(flags.tasks.split(','))) await measure(task);
