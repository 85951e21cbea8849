/**
 * Our side of a benchmark, in a process of its own because precision and threads are read once: takes one JSON request a line
 * and answers with one, see `turns.ts`. First argument: BackendOptions as JSON.
 */
import { createInterface } from 'node:readline';
import { dispose, memory, randomNormal } from '@tensorflow/tfjs-core';
import { PAPER_MODULATION, type ModelConfig } from '../../agent/config.ts';
import { randomSource } from '../../agent/random.ts';
import { initialiseParameters } from '../../agent/weights/initialise.ts';
import { poolShapes, type ParameterRecord } from '../../agent/weights/names.ts';
import { compileDecision, type DecisionForm } from '../../server/inference/decision-function.ts';
import { currentBackend, describeBackend, startBackend, type BackendOptions } from '../../server/tensors/backend.ts';
import { BENCH_MODELS, type BenchWidth } from './sizes.ts';
import type { Times } from './turns.ts';
import { updateCall, type UpdateKind } from './update-call.ts';
import { randomWindows } from '../support/random-windows.ts';

interface Request {
  readonly work: 'decide' | 'tokens' | 'update' | 'matmul' | 'memory';
  readonly width: BenchWidth;
  readonly batch: number;
  readonly dims: number;
  readonly form: DecisionForm;
  readonly kind: UpdateKind;
  readonly calls: number;
}

/** Runs once and has read the result when it returns. */
type Call = () => Promise<unknown>;

const models = new Map<BenchWidth, ParameterRecord>();
const calls = new Map<string, Promise<Call>>();

function modelOf(width: BenchWidth): { model: ModelConfig; parameters: ParameterRecord } {
  const model = BENCH_MODELS[width];
  const known = models.get(width);
  if (known !== undefined) return { model, parameters: known };
  const parameters = initialiseParameters({ model, modulation: PAPER_MODULATION }, randomSource(1));
  models.set(width, parameters);
  return { model, parameters };
}

function decideCall({ width, batch, dims, form }: Request): Call {
  const { model, parameters } = modelOf(width);
  const config = { model, modulation: PAPER_MODULATION };
  const graphs = compileDecision(parameters, config, { sizes: [batch], actionDimensions: dims, form });
  const pool = Object.keys(poolShapes(model, PAPER_MODULATION)).map((name) => [name, parameters[name]!] as const);
  const inputs = { ...randomWindows(model, batch), ...Object.fromEntries(pool) };
  return async () => {
    const outputs = graphs.run(inputs);
    const tokens = await outputs['actionTokens']!.data();
    dispose(outputs);
    return [...tokens];
  };
}

function matmulCall(): Call {
  const [left, right] = [randomNormal([64 * 38, 768]), randomNormal([768, 3072])];
  return async () => {
    const product = left.matMul(right);
    await product.data();
    product.dispose();
  };
}

function makeCall(request: Request): Promise<Call> {
  switch (request.work) {
    case 'decide':
    case 'tokens':
      return Promise.resolve(decideCall(request));
    case 'update':
      return Promise.resolve(updateCall(BENCH_MODELS[request.width], request.kind, request.form));
    case 'matmul':
    case 'memory':
      return Promise.resolve(matmulCall());
  }
}

async function callOf(request: Request): Promise<Call> {
  const { calls: _count, work, ...size } = request;
  const key = JSON.stringify({ ...size, work: work === 'tokens' ? 'decide' : work });
  const known = calls.get(key) ?? makeCall(request);
  calls.set(key, known);
  return known;
}

async function timed(call: Call, count: number): Promise<Times> {
  const wallMs: number[] = [];
  const processorMs: number[] = [];
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    const before = process.cpuUsage();
    await call();
    wallMs.push(performance.now() - startMs);
    const { user, system } = process.cpuUsage(before);
    processorMs.push((user + system) / 1000);
  }
  return { wallMs, processorMs };
}

async function answer(request: Request): Promise<unknown> {
  if (request.work === 'memory') {
    return { tensors: memory().numTensors, residentMiB: process.memoryUsage().rss / 2 ** 20 };
  }
  const call = await callOf(request);
  if (request.work === 'tokens') return { tokens: await call() };
  return timed(call, request.calls);
}

await startBackend(JSON.parse(process.argv[2] ?? '{}') as BackendOptions);
const write = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);
write({ library: describeBackend(currentBackend()) });
for await (const line of createInterface({ input: process.stdin })) {
  write(await answer(JSON.parse(line) as Request));
}
