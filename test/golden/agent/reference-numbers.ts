import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPool, selectedCount } from '../../../agent/config.ts';
import { actionFromToken } from '../../../agent/context/action-tokenizer.ts';
import { trainableNames } from '../../../agent/learning/trainable.ts';
import { countBatch, emptyCounts, switchTask } from '../../../agent/modulation/counts.ts';
import { dispose, type Tensor } from '../../../agent/ops.ts';
import { startBackend, type BackendOptions } from '../../../server/tensors/backend.ts';
import { compile, type CompileOptions } from '../../../server/tensors/compile.ts';
import type { CompiledFunction } from '../../../server/tensors/compiled-function.ts';
import type { SpecDataType } from '../../../server/tensors/tensor-spec.ts';
import { everything } from './everything.ts';
import {
  GOLDEN_MODEL,
  GOLDEN_NAMES,
  GOLDEN_WINDOWS,
  INCOMPLETE_NAMES,
  goldenBatch,
  goldenCase,
  goldenMeta,
  goldenParameters,
  numbersOf,
  type GoldenName,
} from './golden-case.ts';

/** Of hidden states, logits and losses, absolute; of gradients, relative to their largest entry. */
const TOLERANCE = 1e-5;
/** Between two ways to compute the same in 32 bits, relative to the largest number: most outputs come to half of it. */
const ROUNDING = 1e-6;
/**
 * XLA sums in an order, and joins products with sums, as suits the processor: 16 units in the last place. On a Zen 4 the gradient of one of
 * adapter's matrices comes to 9, on those seen before to 8 at most.
 */
const XLA_ROUNDING = 16 * 2 ** -23;

export interface GoldenSubject {
  readonly backend: BackendOptions;
  readonly compile: CompileOptions;
  /** The form in which compiled functions have to run, or the suite proves something else. */
  readonly form: 'graph' | 'eager';
  /** All twelve if absent. */
  readonly cases?: readonly GoldenName[];
}

type Numbers = Readonly<Record<string, ArrayLike<number>>>;

/** Every number of every case, from one compiled function a case: forward, loss, gradients, decisions, selection while learning. */
export function describeReferenceNumbers(subject: GoldenSubject): void {
  beforeAll(async () => {
    await startBackend(subject.backend);
  });

  it.skip.each(INCOMPLETE_NAMES)('%s cannot be compared: its weights lack attn.c_attn.bias', () => undefined);
  if (process.env['L2M_GOLDEN'] === undefined) it('has all cases', () => expect(INCOMPLETE_NAMES).toEqual([]));

  describe.each(subject.cases ?? GOLDEN_NAMES)('%s', (name) => {
    const { config, expected } = goldenCase(name);
    const learned = trainableNames(config.modulation.kind === 'none' ? 'model' : 'pool', config);
    let evaluate: ReturnType<typeof compileCase>;
    let actual: Numbers;

    beforeAll(() => {
      evaluate = compileCase(name, { learned, subject });
      actual = evaluate.run(noPenalty(config.modulation));
    });
    afterAll(() => evaluate.dispose());

    it('gives the same hidden states', () => {
      const perStep = (GOLDEN_MODEL.actionSize + 3) * GOLDEN_MODEL.width;
      expectCloseAtRealSteps(actual['hidden']!, numbersOf(expected, 'last_hidden'), perStep);
    });

    it('gives the same action logits', () => {
      const perStep = GOLDEN_MODEL.actionSize * GOLDEN_MODEL.bins;
      expectCloseAtRealSteps(actual['logits']!, numbersOf(expected, 'action_logits'), perStep);
    });

    it('gives the same loss and cross entropy', () => {
      expectClose(actual['loss']!, numbersOf(expected, 'loss'));
      expectClose(actual['crossEntropy']!, numbersOf(expected, 'cross_entropy'));
    });

    it('gives the same gradients', () => {
      const wantedNames = [...expected.keys()].filter((key) => key.startsWith('grad.')).map((key) => key.slice(5));
      expect([...learned].sort()).toEqual(wantedNames.sort());
      const relative = learned.map((weight) => {
        const wanted = numbersOf(expected, `grad.${weight}`);
        const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
        return { weight, error: worst(actual[`grad.${weight}`]!, wanted) / largest };
      });
      expect(relative.filter(({ error }) => !(error < TOLERANCE))).toEqual([]);
    });

    it.runIf(subject.form === 'graph')('gives what the same function gives without a graph, but for rounding', () => {
      const eager = compileCase(name, { learned, subject: { ...subject, compile: { capture: false }, form: 'eager' } });
      const wanted = eager.run(noPenalty(config.modulation));
      eager.dispose();
      expect(Object.keys(actual)).toEqual(Object.keys(wanted));
      const bound = subject.backend.xla === true ? XLA_ROUNDING : ROUNDING;
      expect(differencesAtRealSteps(actual, wanted, bound)).toEqual([]);
    });

    it('takes the same decisions, all windows in one batch', () => {
      const { actionSize, bins } = GOLDEN_MODEL;
      const wanted = numbersOf(expected, 'decoded_actions');
      goldenMeta().action_dims.forEach((size, row) => {
        const [from, to] = [row * actionSize, row * actionSize + size];
        const tokens = Array.from(actual['actionTokens']!).slice(from, to);
        expect(tokens.map((token) => actionFromToken(token, bins, false))).toEqual(wanted.slice(from, to));
      });
    });

    it('selects the same keys, or nothing without a pool', () => {
      if (!isPool(config.modulation)) {
        expect(actual['keys']).toBeUndefined();
        return;
      }
      expect(Array.from(actual['keys']!)).toEqual(numbersOf(expected, 'selected'));
      expect(Array.from(actual['decidedKeys']!)).toEqual(numbersOf(expected, 'selected'));
      expectClose(actual['query']!, numbersOf(expected, 'query'));
      expectClose(actual['similarity']!, numbersOf(expected, 'similarity'));
      expectClose(actual['pull']!, numbersOf(expected, 'reduce_sim'));
    });

    const { modulation } = config;
    if (!isPool(modulation)) return;
    it('follows two batches of task 0, the switch, and one of task 1', () => {
      const selected = numbersOf(expected, 'train.selected');
      const perForward = GOLDEN_WINDOWS * selectedCount(modulation);
      const keys = Array.from(actual['keys']!);
      expect([...keys, ...keys]).toEqual(selected.slice(0, 2 * perForward));
      let usage = countBatch(countBatch(emptyCounts(modulation.keyCount), keys), keys);
      expectClose(usage.counts, numbersOf(expected, 'train.counts_after_task0'));

      usage = switchTask(usage);
      expectClose(usage.inverseCounts, numbersOf(expected, 'train.inv_counts'));
      const next = evaluate.run(usage.inverseCounts);
      expect(Array.from(next['learningKeys']!)).toEqual(selected.slice(2 * perForward));
      expectClose(next['penalised']!, numbersOf(expected, 'train.similarity_task1'));
      const perStep = GOLDEN_MODEL.actionSize * GOLDEN_MODEL.bins;
      expectCloseAtRealSteps(next['learningLogits']!, numbersOf(expected, 'train.logits_task1'), perStep);
      usage = countBatch(usage, Array.from(next['learningKeys']!));
      expectClose(usage.counts, numbersOf(expected, 'train.counts_after_task1_step'));
    });
  });
}

/** What changes from call to call goes in as inputs: the batch, the learned weights and the penalty. The rest are constants. */
function compileCase(
  name: GoldenName,
  { learned, subject }: { readonly learned: readonly string[]; readonly subject: GoldenSubject },
): { run: (inverseCounts: Float32Array) => Numbers; dispose: () => void } {
  const { config } = goldenCase(name);
  const parameters = goldenParameters(name);
  const batch = goldenBatch();
  const weights = Object.fromEntries(learned.map((weight) => [weight, parameters[weight]!]));
  const tensors: Record<string, Tensor> = { ...batch, ...weights };
  const specs = Object.fromEntries(
    Object.entries(tensors).map(([key, { shape, dtype }]) => [key, { shape, dtype: dtype as SpecDataType }]),
  );
  const counts = { shape: [noPenalty(config.modulation).length], dtype: 'float32' } as const;
  const compiled: CompiledFunction = compile(
    (inputs) => everything(inputs, { config, parameters, learned }),
    { ...specs, inverseCounts: counts },
    subject.compile,
  );
  expect(compiled.form.kind).toBe(subject.form);
  return {
    run: (inverseCounts) => {
      const outputs = compiled.run({ ...tensors, inverseCounts });
      const read = Object.entries(outputs).map(([key, x]) => [key, Float64Array.from(x.dataSync())] as const);
      dispose(outputs);
      return Object.fromEntries(read);
    },
    dispose: () => {
      compiled.dispose();
      dispose([...Object.values(parameters), ...new Set(Object.values<Tensor>({ ...batch }))]);
    },
  };
}

function noPenalty(modulation: ReturnType<typeof goldenCase>['config']['modulation']): Float32Array {
  return new Float32Array(isPool(modulation) ? modulation.keyCount : 1).fill(1);
}

function worst(actual: ArrayLike<number>, wanted: readonly number[]): number {
  expect(actual.length).toBe(wanted.length);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
}

function expectClose(actual: ArrayLike<number>, wanted: readonly number[]): void {
  expect(worst(actual, wanted)).toBeLessThan(TOLERANCE);
}

const WHOLE_NUMBERS = ['actionTokens', 'keys', 'decidedKeys', 'learningKeys'];

/** Names of outputs that differ: whole numbers at all, others by more than the bound, relative to their largest. */
function differencesAtRealSteps(actual: Numbers, wanted: Numbers, bound: number): string[] {
  const { actionSize, bins, context, width } = GOLDEN_MODEL;
  const perStep: Record<string, number> = { hidden: (actionSize + 3) * width, logits: actionSize * bins };
  perStep['learningLogits'] = actionSize * bins;
  return Object.keys(wanted).filter((key) => {
    const steps = perStep[key];
    const isReal = (i: number): boolean => {
      if (steps === undefined) return true;
      const step = Math.floor(i / steps);
      return (step % context) >= context - goldenMeta().valid_steps[Math.floor(step / context)]!;
    };
    const values = Array.from(wanted[key]!).filter((_, i) => isReal(i));
    const others = Array.from(actual[key]!).filter((_, i) => isReal(i));
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    return worst(others, values) > (WHOLE_NUMBERS.includes(key) ? 0 : bound * largest);
  });
}

/** What stands at padded steps depends on how padding is done, so it is not compared; `perStep` numbers a step. */
function expectCloseAtRealSteps(actual: ArrayLike<number>, wanted: readonly number[], perStep: number): void {
  expect(actual.length).toBe(wanted.length);
  const { context } = GOLDEN_MODEL;
  goldenMeta().valid_steps.forEach((valid, window) => {
    const [from, to] = [(window * context + context - valid) * perStep, (window + 1) * context * perStep];
    expectClose(Array.from(actual).slice(from, to), wanted.slice(from, to));
  });
}
