/**
 * Decisions per second against PyTorch, in turns within one run, with L2M-LoRA modulators active on both sides.
 * `npm run bench -- decide [--quick] [--widths 128,256,768] [--batches 1,16,64,256] [--dims 1,4,6] [--rounds 5] [--turn 1000]
 * [--threads 2] [--no-bf16] [--forms auto,xla,graph]`; `--quick` takes the rows of issue tables: 4 dimensions, batches 1 and 64.
 */
import { parseArgs } from 'node:util';
import type { ModelConfig } from '../../agent/config.ts';
import { describeMachine } from './machine.ts';
import { startPeer, startPolicy } from './players.ts';
import { BENCH_MODELS, chosenNumbers, decisionOperations, sizeName, type BenchWidth } from './sizes.ts';
import { median, playRounds, ratiosOf, spread, type Contestant, type Player, type Times } from './turns.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    widths: { type: 'string', default: '128,256,768' },
    batches: { type: 'string' },
    dims: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    turn: { type: 'string' },
    threads: { type: 'string', default: '2' },
    forms: { type: 'string', default: 'auto' },
    'no-bf16': { type: 'boolean', default: false },
  },
});
const widths = chosenNumbers(flags.widths, [128, 256, 768]).map(String) as BenchWidth[];
const batches = chosenNumbers(flags.batches ?? (flags.quick ? '1,64' : '1,16,64,256'), [1, 16, 64, 256]);
const dimensions = chosenNumbers(flags.dims ?? (flags.quick ? '4' : '1,4,6'), [1, 2, 3, 4, 5, 6]);
const options = { rounds: Number(flags.rounds), turnMs: Number(flags.turn ?? (flags.quick ? 600 : 1000)) };
const threads = Number(flags.threads);

const peer = await startPeer(threads);
const float32 = await startPolicy({ threadCount: threads });
const bfloat16 = flags['no-bf16'] ? undefined : await startPolicy({ threadCount: threads, precision: 'bfloat16' });
const players = [peer, float32, ...(bfloat16 === undefined ? [] : [bfloat16])];
console.log(`${describeMachine()}; ${threads} threads`);
console.log(players.map(({ hello }) => hello.library).join('\n'));

const PRODUCT_OPERATIONS = 2 * 2432 * 768 * 3072;
const product = await fasterProduct();
console.log(`${product.name}: ${(PRODUCT_OPERATIONS / median(product.wallMs) / 1e6).toFixed(0)} GFLOP/s`);
if (bfloat16 !== undefined) {
  const shared = await agreement({ width: 'shipped', batch: 256, dims: 4 });
  console.log(`the shipped policy takes the same action in float32 and bfloat16 in ${shared} of 256 windows of noise`);
}
console.log();
for (const width of widths) {
  for (const batch of batches) for (const d of dimensions) await measure(BENCH_MODELS[width], { width, batch, d });
}
for (const player of players) await player.close();

/** The better of the two libraries' products, because the machine's own rate is at least that. */
async function fasterProduct(): Promise<{ name: string; turn: Contestant['turn']; wallMs: readonly number[] }> {
  const contestants = [peer, float32].map((player, i) =>
    turnsOf(`float32 products of ${i === 0 ? 'PyTorch' : 'TensorFlow'}, [2432, 768] by [768, 3072]`, player, {
      work: 'matmul',
    }),
  );
  const results = await playRounds(contestants, { rounds: 5, turnMs: 400 });
  const timed = contestants.map((contestant) => ({
    ...contestant,
    wallMs: results.get(contestant.name)?.wallMs ?? [],
  }));
  return timed.reduce((best, other) => (median(other.wallMs) < median(best.wallMs) ? other : best));
}

function turnsOf(name: string, player: Player, request: object): Contestant {
  return { name, turn: (calls) => player.ask<Times>({ ...request, calls }) };
}

async function measure(
  model: ModelConfig,
  { width, batch, d }: { width: BenchWidth; batch: number; d: number },
): Promise<void> {
  const { blocks, heads } = model;
  const theirs = { width: model.width, blocks, heads, batch, dims: d };
  const mine = { work: 'decide', width, batch, dims: d };
  const ours = flags.forms.split(',').map((form) => turnsOf(`float32 ${form}`, float32, { ...mine, form }));
  if (bfloat16 !== undefined) ours.push(turnsOf('bf16 auto', bfloat16, { ...mine, form: 'auto' }));
  const results = await playRounds(
    [
      turnsOf('reference', peer, { ...theirs, work: 'reference' }),
      turnsOf('cached', peer, { ...theirs, work: 'cached' }),
      // Takes turns as well: the share of the machine's rate would otherwise compare two moments of a noisy machine.
      { ...product, name: 'product' },
      ...ours,
    ],
    options,
  );
  console.log(`${sizeName(model)}, batch ${batch}, ${d} action dimensions`);
  for (const [name, { wallMs, processorMs }] of results) {
    if (name === 'product') continue;
    const rows = name === 'reference' ? 1 : batch;
    const cells = [
      `${median(wallMs).toFixed(2).padStart(9)} ms`,
      `processor ${median(processorMs).toFixed(2).padStart(9)} ms`,
      `${((rows * 1000) / median(wallMs)).toFixed(1).padStart(8)} env steps/s`,
    ];
    if (name.includes(' ')) {
      const against = (peerName: string, share: number): string =>
        `${spread(ratiosOf(results.get(peerName)?.wallMs ?? [], wallMs, share))} × ${peerName}`;
      const operations = decisionOperations(model, d) * batch;
      const share = spread(ratiosOf(results.get('product')?.wallMs ?? [], wallMs, operations / PRODUCT_OPERATIONS));
      cells.push(against('reference', batch), against('cached', 1), `${share} of the product rate`);
    }
    console.log(`  ${name.padEnd(14)} ${cells.join('  ')}`);
  }
  if (bfloat16 !== undefined)
    console.log(`  bf16 takes ${await agreement(mine)} of the float32 actions, weights drawn at random`);
}

/** Share of action tokens that both precisions choose. */
async function agreement(request: object): Promise<string> {
  const ask = async (player: Player | undefined): Promise<readonly number[]> =>
    (await player?.ask<{ tokens: number[] }>({ ...request, work: 'tokens', form: 'auto' }))?.tokens ?? [];
  const [wide, narrow] = [await ask(float32), await ask(bfloat16)];
  const equal = wide.filter((token, i) => token === narrow[i]).length;
  return `${((100 * equal) / wide.length).toFixed(2)} %`;
}
