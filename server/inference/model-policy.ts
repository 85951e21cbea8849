import { hasKeyTable, isPool, type PolicyConfig } from '../../agent/config.ts';
import { actionFromToken } from '../../agent/context/action-tokenizer.ts';
import { ContextWindow } from '../../agent/context/context-window.ts';
import { taskContext, type TaskContext } from '../../agent/context/task-context.ts';
import { windowArrays } from '../../agent/context/window-arrays.ts';
import { RowVote } from '../../agent/modulation/row-vote.ts';
import { referenceTargetReturn } from '../../agent/scoring/target-returns.ts';
import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import { policyConfigOf, type CheckpointManifest } from '../checkpoints/manifest.ts';
import { L2mError } from '../errors.ts';
import type { ActingPolicy, Decision, EpisodePolicy } from '../rollouts/acting-policy.ts';
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
}

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
  return {
    depth: () => batcher.depth,
    policy: {
      name,
      assertSupports: (spec) => void contextOf(spec),
      prepare: (specs) => options.host.prepare(options.model, [...new Set(specs.map(({ actionSize }) => actionSize))]),
      begin: (spec, plan) => {
        const window = new ContextWindow(config);
        const memory = new DecisionMemory(window, config.model);
        const task = contextOf(spec);
        const vote = voteOf(config);
        return {
          ...episodePolicy({ task, window, memory, vote, isFirst: plan.start === 0 }, batcher),
          inspect: async (attention) => {
            const snapshot = await memory.snapshot();
            const explained = await options.host.explain({
              model: options.model,
              windows: snapshot.windows,
              attention,
            });
            return inspectionOf({ config, task, snapshot, explained, attention });
          },
        };
      },
    },
  };
}

interface EpisodeContext {
  readonly task: TaskContext;
  readonly window: ContextWindow;
  readonly memory: DecisionMemory;
  readonly vote: RowVote | undefined;
  /** The first start of a task; the reference shows only that one as it is observed (spec §6.3). */
  readonly isFirst: boolean;
}

function episodePolicy(
  { task, window, memory, vote, isFirst }: EpisodeContext,
  batcher: Batcher<Request, Decision>,
): EpisodePolicy {
  return {
    decide: (row: TickRow) => {
      memory.observed();
      if (row.step === 0) window.start({ task, observation: row.observation, isFirst });
      else window.append({ executedAction: row.executed, reward: row.reward, observation: row.observation });
      return batcher.submit({ window, memory, vote, step: row.step, actionSize: task.actionSize });
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
  const decided = await host.decide(model, { count: batch, actionDimensions, ...arrays, ...heldRows });
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

function voteOf({ modulation }: PolicyConfig): RowVote | undefined {
  const steps = isPool(modulation) ? modulation.voteSteps : undefined;
  return steps === undefined ? undefined : new RowVote(steps);
}
