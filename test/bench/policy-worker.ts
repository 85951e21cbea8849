/**
 * Our side of a benchmark, in a process of its own because precision and threads are read once: takes one JSON request a line
 * and answers with one, see `turns.ts`. First argument: BackendOptions as JSON.
 */
import { createInterface } from 'node:readline';
import { dispose, randomNormal } from '@tensorflow/tfjs-core';
import { PAPER_MODULATION, type PolicyConfig } from '../../agent/config.ts';
import { randomSource } from '../../agent/random.ts';
import { initialiseParameters } from '../../agent/weights/initialise.ts';
import { poolShapes, readParameters, type ParameterRecord } from '../../agent/weights/names.ts';
import { policyConfigOf } from '../../server/checkpoints/manifest.ts';
import { readCheckpoint } from '../../server/checkpoints/read-checkpoint.ts';
import { shippedCheckpoint } from '../../server/cli/default-checkpoint.ts';
import { compileDecision, type DecisionForm } from '../../server/inference/decision-function.ts';
import { currentBackend, describeBackend, startBackend, type BackendOptions } from '../../server/tensors/backend.ts';
import { pretrainCalls, type PretrainCalls } from './pretrain-call.ts';
import { BENCH_MODELS, type BenchWidth } from './sizes.ts';
import type { Times } from './turns.ts';
import { updateCall, type UpdateKind } from './update-call.ts';
import { randomWindows } from '../support/random-windows.ts';

interface Request {
  readonly work: 'decide' | 'tokens' | 'update' | 'pretrain' | 'save' | 'matmul';
  readonly width: BenchWidth | 'shipped';
  readonly batch: number;
  readonly dims: number;
  readonly form: DecisionForm;
  readonly kind: UpdateKind;
  readonly calls: number;
}

/** Runs once and has read the result when it returns. */
type Call = () => Promise<unknown>;

interface Policy extends Pick<PolicyConfig, 'model' | 'modulation'> {
  readonly parameters: ParameterRecord;
}

const policies = new Map<Request['width'], Promise<Policy>>();
const calls = new Map<string, Promise<Call>>();
const trainings = new Map<Request['width'], Promise<PretrainCalls>>();

/** Weights drawn at random; how long a decision takes does not depend on them. */
function randomPolicy(width: BenchWidth): Policy {
  const config = { model: BENCH_MODELS[width], modulation: PAPER_MODULATION };
  return { ...config, parameters: initialiseParameters(config, randomSource(1)) };
}

async function shippedPolicy(): Promise<Policy> {
  const { manifest, arrays } = await readCheckpoint(shippedCheckpoint('mt10'));
  const config = policyConfigOf(manifest);
  return { ...config, parameters: readParameters(arrays, config) };
}

function policyOf(width: Request['width']): Promise<Policy> {
  const made = policies.get(width) ?? (width === 'shipped' ? shippedPolicy() : Promise.resolve(randomPolicy(width)));
  policies.set(width, made);
  return made;
}

async function decideCall({ width, batch, dims, form }: Request): Promise<Call> {
  const policy = await policyOf(width);
  const graphs = compileDecision(policy.parameters, policy, { sizes: [batch], actionDimensions: dims, form });
  const pool = Object.keys(poolShapes(policy.model, policy.modulation)).map(
    (name) => [name, policy.parameters[name]!] as const,
  );
  const { searchGroups: _searchGroups, ...windows } = randomWindows(policy.model, batch);
  const inputs = { ...windows, ...Object.fromEntries(pool) };
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

/** One training of each width: what is saved is what has learned. */
function trainingOf({ width }: Request): Promise<PretrainCalls> {
  const made = trainings.get(width) ?? pretrainCalls(BENCH_MODELS[width as BenchWidth]);
  trainings.set(width, made);
  return made;
}

function makeCall(request: Request): Promise<Call> {
  switch (request.work) {
    case 'decide':
    case 'tokens':
      return decideCall(request);
    case 'update':
      return Promise.resolve(updateCall(BENCH_MODELS[request.width as BenchWidth], request.kind, request.form));
    case 'pretrain':
      return trainingOf(request).then(({ updates }) => updates);
    case 'save':
      return trainingOf(request).then(({ save }) => save);
    case 'matmul':
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
