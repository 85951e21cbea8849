/**
 * One update of soft actor-critic: eager PyTorch against our captured graph, plain and with XLA, in turns within one run.
 * `npm run bench -- sac [--rounds 9] [--threads 1] [--observation 17] [--action 6] [--hidden 256,256] [--batch 256]`
 *
 * Ours includes everything a training does at an update: drawing the batch from a replay, its noise, handing it over and reading
 * the figures back. The peer's batch lies ready.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SacSettings } from '../../agent/experts/sac-update.ts';
import { randomSource } from '../../agent/random.ts';
import { drawBatch } from '../../server/experts/draw-batch.ts';
import { Replay } from '../../server/experts/replay.ts';
import { allocateSacBatch, compileSacUpdate } from '../../server/experts/sac-graph.ts';
import { SacTensors } from '../../server/experts/sac-tensors.ts';
import { describeBackend, startBackend } from '../../server/tensors/backend.ts';
import { torchPython } from './peers/torch-environment.ts';
import { median, playRounds, ratiosOf, spread, startPlayer, type Contestant, type Times } from './turns.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string', default: '1' },
    observation: { type: 'string', default: '17' },
    action: { type: 'string', default: '6' },
    hidden: { type: 'string', default: '256,256' },
    batch: { type: 'string', default: '256' },
  },
});
const [observationSize, actionSize, batchSize, threads] = [
  flags.observation,
  flags.action,
  flags.batch,
  flags.threads,
].map(Number) as [number, number, number, number];
const shape = { observationSize, actionSize, hidden: flags.hidden.split(',').map(Number) };
const settings: SacSettings = {
  ...{ discount: 0.99, targetRate: 0.005, learningRate: 3e-4, temperatureLearningRate: 1e-4 },
  targetEntropy: -actionSize,
};
const LANES = 8;
const DECISIONS = 500;

function filledReplay(): Replay {
  const random = randomSource(3);
  const replay = new Replay({ shape, lanes: LANES, decisions: DECISIONS, capacity: 1_000_000 });
  const values = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  for (let tick = 0; tick < 5 * DECISIONS; tick++) {
    replay.observe(values(LANES * observationSize), values(LANES));
    replay.act(values(LANES * actionSize).map(Math.tanh));
  }
  return replay;
}

function ours(updatesPerRun: number, xla: boolean): Contestant {
  const options = { shape, settings, batchSize, updatesPerRun, compile: { xla } };
  const [graph, batch, tensors] = [compileSacUpdate(options), allocateSacBatch(options), SacTensors.initial(shape, 1)];
  const replay = filledReplay();
  let update = 1;
  const turn = (calls: number): Promise<Times> => {
    const times: { wallMs: number[]; processorMs: number[] } = { wallMs: [], processorMs: [] };
    for (let call = 0; call < calls; call++) {
      const [start, used] = [performance.now(), process.cpuUsage()];
      drawBatch(batch, replay, { seed: 1, firstUpdate: update, updates: updatesPerRun });
      graph.run(tensors, batch, { firstUpdate: update });
      update += updatesPerRun;
      const { user, system } = process.cpuUsage(used);
      times.wallMs.push((performance.now() - start) / updatesPerRun);
      times.processorMs.push((user + system) / 1e3 / updatesPerRun);
    }
    return Promise.resolve(times);
  };
  return { name: `captured graph${xla ? ' with XLA' : ''}, ${updatesPerRun} a run`, turn };
}

const peer = await startPlayer(torchPython(), [
  fileURLToPath(new URL('./peers/sac_torch.py', import.meta.url)),
  ...['--observation', flags.observation, '--action', flags.action, '--hidden', flags.hidden],
  ...['--batch', flags.batch, '--threads', flags.threads],
]);
const backend = await startBackend({ threadCount: threads });
const contestants: Contestant[] = [
  { name: peer.hello.library, turn: (calls) => peer.ask<Times>({ calls }) },
  ...[ours(1, false), ours(1, true), ours(4, false)],
];
const results = await playRounds(contestants, { rounds: Number(flags.rounds), turnMs: 600 });
await peer.close();

process.stdout.write(
  `soft actor-critic, observation ${observationSize}, action ${actionSize}, hidden ${flags.hidden}, batch ${batchSize}; ` +
    `${flags.rounds} rounds\n${describeBackend(backend)}\n`,
);
const theirs = results.get(contestants[0]!.name)!;
for (const { name } of contestants) {
  const { wallMs, processorMs } = results.get(name)!;
  const compared =
    name === contestants[0]!.name
      ? ''
      : `   ${spread(ratiosOf(theirs.wallMs, wallMs))} of the peer's rate, processor ${spread(ratiosOf(theirs.processorMs, processorMs))}`;
  process.stdout.write(
    `  ${name.padEnd(36)} ${(1000 / median(wallMs)).toFixed(0).padStart(5)} updates/s, ${median(processorMs).toFixed(2)} ms${compared}\n`,
  );
}
process.exit(0);
