/** Entry of the process of trained experts: holds the actors of any number of tasks and answers what they would do. */
import { tensor1d, type Tensor1D } from '@tensorflow/tfjs-core';
import type { ExpertShape } from '../../agent/experts/expert-shape.ts';
import { startBackend } from '../tensors/backend.ts';
import type { ActorsReply, ActorsRequest } from './actors-messages.ts';
import { compileActing, type ActingGraph } from './sac-graph.ts';
import { sendToParent, serveQuestions } from './serve-questions.ts';

interface Loaded {
  readonly shape: ExpertShape;
  readonly rows: number;
  readonly actor: Tensor1D;
  readonly graph: ActingGraph;
}

const actors = new Map<string, Loaded>();

serveQuestions(async (request: ActorsRequest) => {
  const reply: ActorsReply = request.type === 'load' ? await load(request) : choose(request);
  sendToParent(reply);
});

async function load({ name, shape, actor, rows, backend }: Extract<ActorsRequest, { type: 'load' }>) {
  await startBackend(backend);
  actors.set(name, { shape, rows, actor: tensor1d(actor), graph: compileActing(shape, rows, { xla: false }) });
  return { type: 'loaded' } as const;
}

function choose({ name, observations }: Extract<ActorsRequest, { type: 'choose' }>) {
  const loaded = actors.get(name);
  if (loaded === undefined) throw new RangeError(`${name} was asked before it was loaded`);
  const { shape, rows, actor, graph } = loaded;
  const count = observations.length / shape.observationSize;
  const padded = new Float32Array(rows * shape.observationSize);
  padded.set(observations);
  const noise = new Float32Array(rows * shape.actionSize);
  return { type: 'actions', actions: graph.run(actor, padded, noise).slice(0, count * shape.actionSize) } as const;
}
