import { hasKeyTable, isPool, type PolicyConfig } from '../../agent/config.ts';
import { actionFromToken } from '../../agent/context/action-tokenizer.ts';
import { gumbelNoise } from '../../agent/drawn-actions.ts';
import { ContextWindow } from '../../agent/context/context-window.ts';
import { taskContext, type TaskContext } from '../../agent/context/task-context.ts';
import { windowArrays } from '../../agent/context/window-arrays.ts';
import { RowVote } from '../../agent/modulation/row-vote.ts';
import { referenceTargetReturn } from '../../agent/scoring/target-returns.ts';
import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import { policyConfigOf, type CheckpointManifest } from '../checkpoints/manifest.ts';
import { L2mError } from '../errors.ts';
import { randomFor, seedFor } from '../learning/window-sampler.ts';
import type { ActingPolicy, Decision, EpisodePolicy } from '../rollouts/acting-policy.ts';
import type { EpisodePlan } from '../rollouts/plan.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import type { AgentHost } from './agent-host.ts';
import { Batcher, type BatchFigures } from './batcher.ts';
import { DecisionMemory } from './decision-memory.ts';
import { inspectionOf } from './inspect-decision.ts';

export interface ModelPolicyOptions {
  readonly name: string;
  readonly host: AgentHost;
  /** Name under which the host knows the checkpoint. */
  readonly model: string;
  readonly manifest: CheckpointManifest;
  readonly batch: {
    readonly maxBatch: number;
    readonly maxWaitMs: number;
    readonly expected: () => number;
    readonly observe: (figures: BatchFigures) => void;
  };
}

interface Request {
  readonly window: ContextWindow;
  readonly memory: DecisionMemory;
  /** Of its episode, where steps vote. */
  readonly vote: RowVote | undefined;
  readonly step: number;
  readonly actionSize: number;
  /** Chance of its step, where its actions are drawn: [A, V]. */
  readonly chance: Float32Array | undefined;
}

/** Chance of a step of one episode; undefined where the likeliest action is taken. */
type ChanceOf = ((step: number) => Float32Array) | undefined;

const MAX_QUEUE = 8192;

/** The trained policy: a context window per episode, decided together with all others of the moment in one batch. */
export function modelPolicy(options: ModelPolicyOptions): { policy: ActingPolicy; depth: () => number } {
  const { manifest, name } = options;
  const config = policyConfigOf(manifest);
  const contexts = new Map<TaskId, TaskContext>();
  const contextOf = (spec: TaskSpec): TaskContext => {
    const known = contexts.get(spec.task);
    if (known !== undefined) return known;
    const wanted = manifest.targetReturns[spec.task] ?? referenceTargetReturn(spec.task);
    const made = taskContext(spec, config, wanted);
    contexts.set(spec.task, made);
    return made;
  };
  const batcher = new Batcher<Request, Decision>({
    ...options.batch,
    maxQueue: MAX_QUEUE,
    handle: (requests) => decideBatch(options, requests),
  });
  const policyOf = (temperature: number | undefined): ActingPolicy => ({
    name,
    assertSupports: (spec) => void contextOf(spec),
    prepare: (specs) => {
      const dimensions = [...new Set(specs.map(({ actionSize }) => actionSize))];
      return options.host.prepare(options.model, dimensions, temperature !== undefined);
    },
    begin: (spec, plan) => {
      const window = new ContextWindow(config);
      const memory = new DecisionMemory(window, config.model);
      const task = contextOf(spec);
      const vote = voteOf(config);
      const chanceOf = temperature === undefined ? undefined : chanceOfEpisode(config, plan, temperature);
      return {
        ...episodePolicy({ task, window, memory, vote, chanceOf, isFirst: plan.start === 0 }, batcher),
        inspect: async (attention) => {
          const snapshot = await memory.snapshot();
          const explained = await options.host.explain({ model: options.model, windows: snapshot.windows, attention });
          return inspectionOf({ config, task, snapshot, explained, attention });
        },
      };
    },
  });
  return {
    depth: () => batcher.depth,
    policy: { ...policyOf(undefined), drawn: (temperature) => policyOf(temperature) },
  };
}

function chanceOfEpisode({ model }: PolicyConfig, { seed, task, start }: EpisodePlan, temperature: number): ChanceOf {
  const episode = seedFor(seed, `draw ${task} ${temperature}`, start);
  return (step) => gumbelNoise(randomFor(episode, 'step', step), model.actionSize * model.bins, temperature);
}

interface EpisodeContext {
  readonly task: TaskContext;
  readonly window: ContextWindow;
  readonly memory: DecisionMemory;
  readonly vote: RowVote | undefined;
  readonly chanceOf: ChanceOf;
  /** The first start of a task; the reference shows only that one as it is observed (spec §6.3). */
  readonly isFirst: boolean;
}

function episodePolicy(
  { task, window, memory, vote, chanceOf, isFirst }: EpisodeContext,
  batcher: Batcher<Request, Decision>,
): EpisodePolicy {
  return {
    decide: (row: TickRow) => {
      memory.observed();
      if (row.step === 0) window.start({ task, observation: row.observation, isFirst });
      else window.append({ executedAction: row.executed, reward: row.reward, observation: row.observation });
      const { step } = row;
      return batcher.submit({ window, memory, vote, step, actionSize: task.actionSize, chance: chanceOf?.(step) });
    },
  };
}

async function decideBatch(options: ModelPolicyOptions, requests: readonly Request[]): Promise<Decision[]> {
  const { host, model, manifest } = options;
  const { bins } = manifest.model;
  const { binCentres } = manifest.options;
  const { batch, ...arrays } = windowArrays(manifest.model, requests.length);
  for (const [row, { window }] of requests.entries()) window.writeInto({ batch, ...arrays }, row);
  const actionDimensions = Math.max(...requests.map(({ actionSize }) => actionSize));
  const held = requests.map(({ vote }) => vote?.held ?? -1);
  const heldRows = requests.some(({ vote }) => vote !== undefined) ? { heldRows: Int32Array.from(held) } : {};
  const chance = chanceOfBatch(requests, batch);
  const decided = await host.decide(model, { count: batch, actionDimensions, ...arrays, ...heldRows, ...chance });
  const stride = decided.actionDimensions;
  if (decided.actionTokens.length !== batch * stride) {
    throw new L2mError('L2M_SHAPE_MISMATCH', `${decided.actionTokens.length} action tokens for ${batch} windows`);
  }
  const manyKeys = hasKeyTable(manifest.modulation);
  return requests.map(({ actionSize, memory, vote, step }, row) => {
    const tokens = decided.actionTokens.slice(row * stride, row * stride + actionSize);
    const selected = decided.selected[row] ?? -1;
    vote?.add(decided.asked[row] ?? -1);
    const settled = vote === undefined ? {} : { held: held[row] ?? -1 };
    memory.decided({ step, tokens, selected, version: decided.version, ...settled });
    return {
      action: Float32Array.from(tokens, (token) => actionFromToken(token, bins, binCentres)),
      selected,
      ...(manyKeys ? { key: decided.keys[row] ?? selected } : {}),
      similarity: decided.similarities[row] ?? 0,
      decideMs: decided.decideMs,
      version: decided.version,
    };
  });
}

/** Whoever draws nothing gets zeros. */
function chanceOfBatch(requests: readonly Request[], batch: number): { readonly chance?: Float32Array } {
  const length = requests.find(({ chance }) => chance !== undefined)?.chance?.length;
  if (length === undefined) return {};
  const chance = new Float32Array(batch * length);
  for (const [row, request] of requests.entries()) if (request.chance) chance.set(request.chance, row * length);
  return { chance };
}

function voteOf({ modulation }: PolicyConfig): RowVote | undefined {
  const steps = isPool(modulation) ? modulation.voteSteps : undefined;
  return steps === undefined ? undefined : new RowVote(steps);
}
