/**
 * What capturing gives: the agent's decision and training step, eager, as a graph, and as a graph compiled by XLA, in turns
 * within one process. `node --import tsx test/bench/capture.bench.ts [--model tiny] [--rounds 5] [--threads N] [--xla false] [--cache true]
 * [--work decide]`
 */
import { parseArgs } from 'node:util';
import { dispose, memory, type Tensor } from '@tensorflow/tfjs-core';
import { MODEL_PRESETS, PAPER_MODULATION, type ModelConfig, type ModelPreset } from '../../agent/config.ts';
import { decide } from '../../agent/decision-transformer.ts';
import { ADAMW, adamwStep } from '../../agent/learning/adamw.ts';
import { lossAndGradients } from '../../agent/learning/gradients.ts';
import { decays } from '../../agent/learning/trainable.ts';
import { randomSource } from '../../agent/random.ts';
import { initialiseParameters } from '../../agent/weights/initialise.ts';
import { describeBackend, startBackend } from '../../server/tensors/backend.ts';
import type { TensorFunction } from '../../server/tensors/capture.ts';
import { compile, type CompileOptions } from '../../server/tensors/compile.ts';
import type { TensorInput, TensorSpec, TensorSpecs } from '../../server/tensors/tensor-spec.ts';

interface Work {
  readonly name: string;
  readonly fn: TensorFunction<string, string>;
  readonly specs: TensorSpecs;
  readonly inputs: Readonly<Record<string, TensorInput>>;
  /** Read to the end, as the caller would. */
  readonly read: string;
}

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'tiny' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    xla: { type: 'string', default: 'true' },
    cache: { type: 'string', default: 'false' },
    work: { type: 'string', default: '' },
  },
});
const random = randomSource(1);
const model: ModelConfig = MODEL_PRESETS[flags.model as ModelPreset];
const threadCount = flags.threads === undefined ? {} : { threadCount: Number(flags.threads) };
const cache = flags.cache === 'true' ? {} : { graphCache: false as const };
const backend = await startBackend({ xla: flags.xla === 'true', ...threadCount, ...cache });
if (!backend.capture) throw new Error('nothing can be captured here: see `npx l2m doctor`');
console.log(`${describeBackend(backend)}; width ${model.width} x ${model.blocks} blocks, L2M-LoRA pool`);

const variants: [string, CompileOptions][] = [
  ['eager', { capture: false }],
  ['graph', { xla: false }],
  ...(backend.xla ? ([['graph + XLA', { xla: true }]] as [string, CompileOptions][]) : []),
];
const works = [
  decideWork(1, 'constants'),
  decideWork(1, 'inputs'),
  decideWork(16, 'constants'),
  decideWork(64, 'constants'),
];
for (const work of [...works, decideWork(64, 'inputs'), trainWork(128)]) {
  if (work.name.includes(flags.work)) await measure(work);
}

/** Times in milliseconds of one run. Processor time of all threads stays comparable on a machine that others use as well. */
interface Timing {
  readonly wallMs: number;
  readonly processorMs: number;
}

async function measure(work: Work): Promise<void> {
  const columns = variants.map(([name, options]) => {
    const startMs = performance.now();
    const processorStart = process.cpuUsage();
    const compiled = compile(work.fn, work.specs, options);
    const ready = { wallMs: performance.now() - startMs, processorMs: processorMs(processorStart) };
    return { name, compiled, ready, timings: [] as Timing[] };
  });
  const tensorsBefore = memory().numTensors;
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const { compiled, timings } of columns) {
      const untilMs = performance.now() + 1500;
      do {
        const startMs = performance.now();
        const processorStart = process.cpuUsage();
        const outputs = compiled.run(work.inputs);
        await outputs[work.read]!.data();
        timings.push({ wallMs: performance.now() - startMs, processorMs: processorMs(processorStart) });
        dispose(outputs);
      } while (performance.now() < untilMs);
    }
  }
  if (memory().numTensors !== tensorsBefore) throw new Error(`${work.name} left tensors behind`);
  const best = (timings: readonly Timing[]): number => Math.min(...timings.map(({ wallMs }) => wallMs));
  console.log(`\n${work.name}; resident ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
  for (const { name, compiled, ready, timings } of columns) {
    const wall = median(timings.map(({ wallMs }) => wallMs));
    const processor = median(timings.map((timing) => timing.processorMs));
    const cells = [
      `best ${best(timings).toFixed(2).padStart(9)} ms`,
      `median ${wall.toFixed(2).padStart(9)} ms`,
      `processor ${processor.toFixed(2).padStart(9)} ms`,
      `${(best(columns[0]!.timings) / best(timings)).toFixed(1).padStart(5)} x`,
      compiled.form.kind === 'eager' ? '' : `${compiled.form.nodeCount} nodes, ready after ${seconds(ready)}`,
    ];
    console.log(`  ${name.padEnd(12)} ${cells.join('  ')}`);
    compiled.dispose();
  }
}

function processorMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function seconds({ wallMs, processorMs }: Timing): string {
  return `${(wallMs / 1000).toFixed(1)} s (processor ${(processorMs / 1000).toFixed(1)} s)`;
}

/** One decision of four action dimensions for `batch` windows. */
function decideWork(batch: number, weights: 'constants' | 'inputs'): Work {
  const parameters = initialiseParameters({ model, modulation: PAPER_MODULATION }, random);
  const window = windowSpecs(batch);
  const held = weights === 'inputs' ? parameters : {};
  const fn: Work['fn'] = (inputs) => {
    const present = weights === 'inputs' ? inputs : parameters;
    const options = { model, modulation: PAPER_MODULATION, actionDimensions: 4, routing: {} };
    return { actionTokens: decide(present, inputs as never, options).actionTokens };
  };
  const specs = { ...window, ...specsOf(held) };
  return {
    name: `decide B=${batch}, weights ${weights}`,
    fn,
    specs,
    inputs: { ...valuesOf(window), ...held },
    read: 'actionTokens',
  };
}

/** Loss, gradients, clipping and AdamW of the bare model, as pre-training does it. */
function trainWork(batch: number): Work {
  const parameters = initialiseParameters({ model, modulation: { kind: 'none' } }, random);
  const names = Object.keys(parameters);
  const window = windowSpecs(batch);
  const shape = [batch, model.context, model.actionSize];
  const batchSpecs = {
    ...window,
    targetTokens: { shape, dtype: 'int32' },
    actionMask: { shape, dtype: 'float32' },
  } as const;
  const named = (kind: string): Record<string, Tensor> =>
    Object.fromEntries(names.map((name) => [`${kind} ${name}`, parameters[name]!.abs()]));
  const held = { ...parameters, ...named('first'), ...named('second') };
  const fn: Work['fn'] = (inputs) => {
    const list = (kind: string): Tensor[] => names.map((name) => inputs[kind + name]!);
    const { loss, gradients } = lossAndGradients(inputs, inputs as never, {
      model, modulation: { kind: 'none' }, pullWeight: 0, routing: {}, trainableNames: names,
    }); // prettier-ignore
    const state = { parameters: list(''), firstMoments: list('first '), secondMoments: list('second ') };
    const scalars = {
      learningRate: inputs['rate']!,
      biasCorrection1: inputs['rate']!,
      biasCorrection2: inputs['rate']!,
    };
    const next = adamwStep(state, gradients, { scalars, decayed: names.map(decays), settings: ADAMW });
    const out = (kind: string, tensors: readonly Tensor[]): [string, Tensor][] =>
      tensors.map((one, i) => [kind + names[i]!, one]);
    return {
      loss,
      ...Object.fromEntries([
        ...out('', next.parameters),
        ...out('first ', next.firstMoments),
        ...out('second ', next.secondMoments),
      ]),
    };
  };
  const rate = { rate: { shape: [], dtype: 'float32' } } as const;
  const inputs = { ...valuesOf(batchSpecs), ...held, rate: Float32Array.of(1e-3) };
  return {
    name: `train step B=${batch}`,
    fn,
    specs: { ...batchSpecs, ...specsOf(held), ...rate },
    inputs,
    read: 'loss',
  };
}

function windowSpecs(batch: number): TensorSpecs {
  const steps = [batch, model.context];
  return {
    states: { shape: [...steps, model.stateSize], dtype: 'float32' },
    actionTokens: { shape: [...steps, model.actionSize], dtype: 'int32' },
    returnsToGo: { shape: steps, dtype: 'float32' },
    rewards: { shape: steps, dtype: 'float32' },
    timesteps: { shape: steps, dtype: 'int32' },
    stepMask: { shape: steps, dtype: 'float32' },
  };
}

function valuesOf(specs: TensorSpecs): Record<string, TensorInput> {
  const entries = Object.entries(specs).map(([name, { shape, dtype }]): [string, TensorInput] => {
    const count = shape.reduce((product, length) => product * length, 1);
    if (dtype === 'int32') return [name, Int32Array.from({ length: count }, () => random.below(model.bins))];
    return [name, Float32Array.from({ length: count }, () => (name.endsWith('Mask') ? 1 : random.normal()))];
  });
  return Object.fromEntries(entries);
}

function specsOf(tensors: Readonly<Record<string, Tensor>>): TensorSpecs {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape }]): [string, TensorSpec] => [name, { shape, dtype: 'float32' }]),
  );
}
