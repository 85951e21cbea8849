/**
 * Training updates per second against PyTorch, in turns within one run: loss, gradients and optimiser over 256 windows. Clipping
 * by the norm, which the peer leaves out, is in ours.
 * `npm run bench -- update [--quick] [--widths 128,256] [--rounds 5] [--turn 3000] [--threads 2] [--no-bf16] [--forms auto,xla,graph]`
 */
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { startPeer, startPolicy } from './players.ts';
import { BENCH_MODELS, chosenNumbers, sizeName, type BenchWidth } from './sizes.ts';
import { median, playRounds, ratiosOf, spread, type Contestant, type Player, type Times } from './turns.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    widths: { type: 'string', default: '128,256' },
    rounds: { type: 'string' },
    turn: { type: 'string', default: '3000' },
    threads: { type: 'string', default: '2' },
    forms: { type: 'string', default: 'auto' },
    'no-bf16': { type: 'boolean', default: false },
  },
});
const widths = chosenNumbers(flags.widths, [128, 256, 768]).map(String) as BenchWidth[];
const threads = Number(flags.threads);

const peer = await startPeer(threads);
const float32 = await startPolicy({ threadCount: threads });
const bfloat16 = flags['no-bf16'] ? undefined : await startPolicy({ threadCount: threads, precision: 'bfloat16' });
const players = [peer, float32, ...(bfloat16 === undefined ? [] : [bfloat16])];
console.log(`${describeMachine()}; ${threads} threads`);
console.log(players.map(({ hello }) => hello.library).join('\n'));
for (const width of widths) await measure(width);
for (const player of players) await player.close();

function turnsOf(name: string, player: Player, request: object): Contestant {
  return { name, turn: (calls) => player.ask<Times>({ ...request, calls }) };
}

async function measure(width: BenchWidth): Promise<void> {
  const model = BENCH_MODELS[width];
  const { blocks, heads } = model;
  const mine = { work: 'update', width, kind: 'pretrain' };
  const ours = flags.forms.split(',').map((form) => turnsOf(`float32 ${form}`, float32, { ...mine, form }));
  if (bfloat16 !== undefined) ours.push(turnsOf('bf16 auto', bfloat16, { ...mine, form: 'auto' }));
  const rounds = Number(flags.rounds ?? (flags.quick ? '3' : '5'));
  const results = await playRounds(
    [turnsOf('gradient', peer, { work: 'gradient', width: model.width, blocks, heads }), ...ours],
    { rounds, turnMs: Number(flags.turn) },
  );
  console.log(`\n${sizeName(model)}, 256 windows of 45 tokens, the whole model learns`);
  const theirs = results.get('gradient')?.wallMs ?? [];
  for (const [name, { wallMs, processorMs }] of results) {
    const cells = [
      `${median(wallMs).toFixed(0).padStart(6)} ms`,
      `processor ${median(processorMs).toFixed(0).padStart(6)} ms`,
      `${(256_000 / median(wallMs)).toFixed(0).padStart(6)} windows/s`,
      name === 'gradient' ? '' : `${spread(ratiosOf(theirs, wallMs))} × gradient`,
    ];
    console.log(`  ${name.padEnd(14)} ${cells.join('  ')}`);
  }
}
