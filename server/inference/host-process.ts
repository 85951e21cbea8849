import { isPool, type PolicyConfig } from '../../agent/config.ts';
import { readParameters, type ParameterRecord } from '../../agent/weights/names.ts';
import { policyConfigOf } from '../checkpoints/manifest.ts';
import { readCheckpoint } from '../checkpoints/read-checkpoint.ts';
import { L2mError, errorFromUnknown } from '../errors.ts';
import { describeBackend, startBackend } from '../tensors/backend.ts';
import { DecisionGraphs } from './decision-graphs.ts';
import type { HostModelView, HostReply, HostRequest, HostSettings } from './host-messages.ts';

/**
 * The agent host: the child process that owns the tensor backend. One request at a time, in order; weights are swapped
 * between two of them, so no decision ever mixes versions.
 */
interface Loaded {
  readonly graphs: DecisionGraphs;
  /** Of all that the graphs are made of: weights of the model, sizes, batches. */
  readonly identity: string;
  readonly version: number;
}

type LoadRequest = Extract<HostRequest, { type: 'load' }>;

const models = new Map<string, Loaded>();

function reply(message: HostReply): void {
  process.send?.(message);
}

async function load(request: LoadRequest): Promise<HostModelView> {
  const { manifest, arrays } = await readCheckpoint(request.folder);
  const config = policyConfigOf(manifest);
  const parameters = readParameters(arrays, config);
  const { model, modulation } = config;
  const identity = JSON.stringify([manifest.files.model.sha256, model, modulation, request.maxBatch]);
  const before = models.get(request.model);
  const parameterCount = Object.values(parameters).reduce((sum, tensor) => sum + tensor.size, 0);
  if (before?.identity === identity) before.graphs.exchangePool(parameters);
  const graphs = before?.identity === identity ? before.graphs : newGraphs(parameters, config, request);
  const { version } = request;
  models.set(request.model, { graphs, identity, version });
  if (before !== undefined && before.graphs !== graphs) before.graphs.dispose();
  return {
    model: request.model,
    parameters: parameterCount,
    modulation: modulation.kind,
    poolSize: isPool(modulation) ? modulation.poolSize : 0,
    version,
  };
}

/** Compiled before anything is replaced: if that fails, the model of before goes on. */
function newGraphs(
  parameters: ParameterRecord,
  config: PolicyConfig,
  { maxBatch, dimensions }: LoadRequest,
): DecisionGraphs {
  const graphs = new DecisionGraphs(parameters, config, {
    maxBatch,
    progress: ({ stage, finished, total }) =>
      reply({ type: 'progress', text: `policy graphs: ${stage} ${finished}/${total}` }),
  });
  try {
    for (const each of dimensions) graphs.prepare(each);
    return graphs;
  } catch (error) {
    graphs.dispose();
    throw error;
  }
}

async function answer(request: HostRequest): Promise<void> {
  try {
    if (request.type === 'load') {
      reply({ type: 'loaded', request: request.request, view: await load(request) });
      return;
    }
    if (request.type === 'unload') {
      models.get(request.model)?.graphs.dispose();
      models.delete(request.model);
      reply({ type: 'unloaded', request: request.request });
      return;
    }
    const loaded = models.get(request.model);
    if (loaded === undefined) throw new L2mError('L2M_CHECKPOINT_INVALID', `${request.model} is not loaded`);
    if (request.type === 'prepare') {
      for (const dimensions of request.dimensions) loaded.graphs.prepare(dimensions, request.drawn);
      reply({ type: 'prepared', request: request.request });
      return;
    }
    if (request.type === 'explain') {
      const explained = await loaded.graphs.explain(request.windows, request.attention);
      reply({ type: 'explained', request: request.request, explained });
      return;
    }
    const startMs = performance.now();
    const decided = await loaded.graphs.decide(request.windows);
    const decideMs = performance.now() - startMs;
    reply({ type: 'decided', request: request.request, ...decided, decideMs, version: loaded.version });
  } catch (thrown) {
    const error = errorFromUnknown(thrown);
    if (error.code === 'L2M_INTERNAL') process.stderr.write(`${error.got}: ${String(error.cause)}\n`);
    reply({ type: 'failed', request: request.request, code: error.code, got: error.got });
  }
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '{}') as HostSettings;
  try {
    const backend = await startBackend(settings);
    reply({
      type: 'ready',
      backend: {
        name: backend.kind,
        version: backend.library,
        captured: backend.capture,
        detail: describeBackend(backend),
      },
    });
  } catch (thrown) {
    const error = errorFromUnknown(thrown);
    reply({ type: 'failed', request: undefined, code: error.code, got: error.got });
    process.exitCode = 1;
    process.disconnect();
    return;
  }
  let last: Promise<void> = Promise.resolve();
  process.on('message', (request: HostRequest) => {
    last = last.then(() => answer(request));
  });
  // The server is gone or is closing: there is nobody left to decide for.
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole process group; the server decides when the host may go.
  process.on('SIGINT', () => undefined);
}

await main();
