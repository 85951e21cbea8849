import { Type, type Static } from 'typebox';
import { WIRE_LIMITS } from './limits.ts';

export const DomainSchema = Type.Union([Type.Literal('metaworld'), Type.Literal('dmcontrol')]);
export type Domain = Static<typeof DomainSchema>;

/** `metaworld/reach-v3` or `dmcontrol/walker-walk`: domain, slash, the simulator's own name. */
export const TaskIdSchema = Type.String({
  pattern: '^(metaworld|dmcontrol)/[A-Za-z0-9_-]{1,96}$',
  maxLength: WIRE_LIMITS.nameLength,
});
export type TaskId = Static<typeof TaskIdSchema>;

/** One named part of an observation, in the order the simulator gives them. `size` is its flattened length. */
export const ObservationPartSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: WIRE_LIMITS.nameLength }),
    size: Type.Integer({ minimum: 1, maximum: WIRE_LIMITS.observationSize }),
  },
  { additionalProperties: false },
);

/** Everything a policy has to know of a task. All actions live in [-1, 1]; the worker maps them to the actuators' range. */
export const TaskSpecSchema = Type.Object(
  {
    task: TaskIdSchema,
    /** Parts of the flattened observation, in order; Meta-World has one part, `state` of 39. */
    observation: Type.Array(ObservationPartSchema, { minItems: 1, maxItems: 32 }),
    actionSize: Type.Integer({ minimum: 1, maximum: WIRE_LIMITS.actionSize }),
    /** Seconds of simulated time of one step. */
    controlTimestep: Type.Number({ exclusiveMinimum: 0 }),
    /** Whether the simulator says if a step was a success (Meta-World does, DMControl does not). */
    reportsSuccess: Type.Boolean(),
    /** Whether a scripted expert exists for the task. */
    hasExpert: Type.Boolean(),
  },
  { additionalProperties: false, $id: 'TaskSpec' },
);
export type TaskSpec = Static<typeof TaskSpecSchema>;

/** A named way to evaluate: horizon, where starts come from, and which success counts as the headline. */
export const EvaluationProtocolSchema = Type.Union([Type.Literal('official-v3'), Type.Literal('l2m-paper')]);
export type EvaluationProtocol = Static<typeof EvaluationProtocolSchema>;

export function domainOf(task: TaskId): Domain {
  return task.startsWith('metaworld/') ? 'metaworld' : 'dmcontrol';
}

/** The simulator's own name: `reach-v3` of `metaworld/reach-v3`. */
export function taskName(task: TaskId): string {
  return task.slice(task.indexOf('/') + 1);
}

/** Steps of one episode. Meta-World: 500 in `official-v3`, 200 in `l2m-paper`; DMControl: 1000 in both. */
export function horizonOf(task: TaskId, protocol: EvaluationProtocol): number {
  if (domainOf(task) === 'dmcontrol') return 1000;
  return protocol === 'official-v3' ? 500 : 200;
}
