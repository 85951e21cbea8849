/**
 * Windows per second of a whole pre-training against one update of PyTorch, in turns within one run. Ours is `l2m pretrain` without its
 * process: real trajectories, windows drawn, tokenised and handed over, loss, gradients, clipping, AdamW, reports. Saving is left out of the
 * windows/s and measured apart. The peer's `gradient` has its 256 windows ready, embedded, and does not clip.
 * `npm run bench -- pretrain [--quick] [--widths 128,256] [--rounds 5] [--turn 4000] [--threads 2] [--no-bf16]`
 */
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { startPeer, startPolicy } from './players.ts';
import { BENCH_MODELS, chosenNumbers, sizeName, type BenchWidth } from './sizes.ts';
import { median, playRounds, ratiosOf, spread, type Contestant, type Player, type Times } from './turns.ts';
import { UPDATES_A_CALL } from './pretrain-call.ts';
import { UPDATE_WINDOWS } from './update-call.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    widths: { type: 'string', default: '128,256' },
    rounds: { type: 'string' },
    turn: { type: 'string', default: '4000' },
    threads: { type: 'string', default: '2' },
    'no-bf16': { type: 'boolean', default: false },
  },
});
const SAVE_EVERY_MS = 5 * 60_000;
const threads = Number(flags.threads);

const peer = await startPeer(threads);
const ours = [
  { name: 'float32', player: await startPolicy({ threadCount: threads }) },
  ...(flags['no-bf16']
    ? []
    : [{ name: 'bfloat16', player: await startPolicy({ threadCount: threads, precision: 'bfloat16' }) }]),
];
console.log(`${describeMachine()}; ${threads} threads`);
console.log([peer, ...ours.map(({ player }) => player)].map(({ hello }) => hello.library).join('\n'));
for (const width of chosenNumbers(flags.widths, [128, 256, 768]).map(String) as BenchWidth[]) await measure(width);
for (const player of [peer, ...ours.map(({ player: each }) => each)]) await player.close();

function turnsOf(name: string, player: Player, request: object): Contestant {
  return { name, turn: (calls) => player.ask<Times>({ ...request, calls }) };
}

async function measure(width: BenchWidth): Promise<void> {
  const model = BENCH_MODELS[width];
  const { blocks, heads } = model;
  const mine = ours.map(({ name, player }) => turnsOf(name, player, { work: 'pretrain', width }));
  const results = await playRounds(
    [turnsOf('gradient', peer, { work: 'gradient', width: model.width, blocks, heads }), ...mine],
    { rounds: Number(flags.rounds ?? (flags.quick ? '3' : '5')), turnMs: Number(flags.turn) },
  );
  console.log(
    `\n${sizeName(model)}, batches of ${UPDATE_WINDOWS} windows drawn from real trajectories, saving left out`,
  );
  const theirs = results.get('gradient');
  for (const [name, { wallMs, processorMs }] of results) {
    const updates = name === 'gradient' ? 1 : UPDATES_A_CALL;
    const ratio = (of: readonly number[], by: readonly number[]) => spread(ratiosOf(of, by, updates));
    const cells = [
      `${(median(wallMs) / updates).toFixed(0).padStart(6)} ms an update`,
      `${((1000 * UPDATE_WINDOWS * updates) / median(wallMs)).toFixed(0).padStart(6)} windows/s`,
      name === 'gradient' || theirs === undefined
        ? ''
        : `${ratio(theirs.wallMs, wallMs)} × gradient, by processor time ${ratio(theirs.processorMs, processorMs)}`,
    ];
    console.log(`  ${name.padEnd(10)} ${cells.join('  ')}`);
  }
  for (const { name, player } of ours) {
    const { wallMs } = await player.ask<Times>({ work: 'save', width, calls: 3 });
    const share = (100 * median(wallMs)) / SAVE_EVERY_MS;
    console.log(
      `  ${name.padEnd(10)} saving takes ${median(wallMs).toFixed(0)} ms, ${share.toFixed(2)} % of a training that saves every 5 minutes`,
    );
  }
}
