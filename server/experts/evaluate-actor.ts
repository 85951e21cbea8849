import type { ExpertShape } from '../../agent/experts/expert-shape.ts';
import type { LiveServer } from '../build-server.ts';
import { deterministicPolicy } from './deterministic-policy.ts';
import type { ExpertOptions } from './expert-options.ts';
import type { StopRequest } from './stop-request.ts';
import { EVALUATION_SEED } from '../rollouts/evaluation-seed.ts';

export interface EvaluatedActor {
  readonly server: LiveServer;
  readonly options: ExpertOptions;
  readonly shape: ExpertShape;
  /** @param observations [n, W] @returns [n, A] */
  readonly choose: (observations: Float32Array) => Promise<Float32Array>;
  /** Simulator steps of one decision. */
  readonly actionRepeat: number;
  readonly stop: StopRequest;
}

export interface ActorScore {
  readonly meanReturn: number;
  readonly normalizedScore: number | null;
}

/**
 * Plays the evaluation's episodes without noise.
 * @returns undefined if the training was to stop before they were over
 * @throws what `StopRequest.finish` throws
 */
export async function evaluateActor(actor: EvaluatedActor): Promise<ActorScore | undefined> {
  const { server, options, shape, choose, actionRepeat, stop } = actor;
  const { task, source, horizon, lanes, evaluationEpisodes: episodes } = options;
  const policy = deterministicPolicy({
    ...{ name: `expert ${source}`, actionRepeat, lanes, choose },
    ...{ observationSize: shape.observationSize, actionSize: shape.actionSize },
  });
  const handle = await server.runs.start(
    {
      ...{ kind: 'evaluate', tasks: [task], protocol: 'l2m-paper', horizon, episodes },
      ...{ policy: { kind: 'learner', name: source }, firstStart: 0, seed: EVALUATION_SEED },
    },
    { policy },
  );
  await stop.finish(server, handle);
  const score = handle.summary().tasks[0];
  if (stop.requested() || typeof score?.meanReturn !== 'number') return undefined;
  return { meanReturn: score.meanReturn, normalizedScore: score.normalizedScore };
}
