import { Type, type Static } from 'typebox';
import { WIRE_LIMITS } from './limits.ts';

const closed = { additionalProperties: false } as const;
const Name = Type.String({ maxLength: WIRE_LIMITS.nameLength });
const Count = Type.Integer({ minimum: 0 });
const Coordinate = Type.Number({ minimum: -10_000, maximum: 10_000, description: 'metres' });
const Point = Type.Array(Coordinate, { minItems: 3, maxItems: 3 });

// ---------------------------------------------------------------- page to server

/**
 * There is one seat: who has it controls, all others watch. `request` takes it if it is free and asks for it otherwise;
 * `release` gives it up, or withdraws the request; `grant` hands it to the page that asked first; `steal` takes it from a
 * page that said nothing for `WIRE_LIMITS.controlSilenceMs`. Needs the role `operator`.
 */
export const ControlSeatSchema = Type.Object(
  {
    type: Type.Literal('control-seat'),
    action: Type.Union([
      Type.Literal('request'),
      Type.Literal('release'),
      Type.Literal('grant'),
      Type.Literal('steal'),
    ]),
  },
  closed,
);

/** One environment, by the key of `EnvironmentView`, or all environments of a run. */
export const ControlTargetSchema = Type.Union([
  Type.Object({ kind: Type.Literal('environment'), key: Name }, closed),
  Type.Object({ kind: Type.Literal('run'), run: Name }, closed),
]);
export type ControlTarget = Static<typeof ControlTargetSchema>;

/** Steps a second as a multiple of simulated time; null is as fast as simulator and policy can. */
export const SpeedSchema = Type.Union([
  Type.Number({ minimum: WIRE_LIMITS.slowestSpeed, maximum: WIRE_LIMITS.fastestSpeed }),
  Type.Null(),
]);
export type Speed = Static<typeof SpeedSchema>;

/** `step` takes one step and pauses; `reset` begins the episode anew from its start state. */
export const SimulationCommandSchema = Type.Union([
  Type.Object({ kind: Type.Literal('pause') }, closed),
  Type.Object({ kind: Type.Literal('resume') }, closed),
  Type.Object({ kind: Type.Literal('step') }, closed),
  Type.Object({ kind: Type.Literal('reset') }, closed),
  Type.Object({ kind: Type.Literal('speed'), speed: SpeedSchema }, closed),
]);
export type SimulationCommand = Static<typeof SimulationCommandSchema>;

/** Needs the seat. Answered by `control-updated`, or by a `notice` that says why not. */
export const ControlSimulationSchema = Type.Object(
  { type: Type.Literal('control-simulation'), target: ControlTargetSchema, command: SimulationCommandSchema },
  closed,
);

/**
 * What a person wants an environment to do from now on, until the next such message; null hands it back to the policy.
 * Silence for `teleoperationHoldMs` lets go (see `protocol/teleoperation.ts`), for `teleoperationHandBackMs` hands back.
 * Needs the seat. Messages about another episode than the one that runs are ignored: it has just ended.
 */
export const TeleoperateSchema = Type.Object(
  {
    type: Type.Literal('teleoperate'),
    key: Name,
    episode: Count,
    /** [A] in [-1, 1] */
    action: Type.Union([
      Type.Array(Type.Number({ minimum: -1, maximum: 1 }), { minItems: 1, maxItems: WIRE_LIMITS.actionSize }),
      Type.Null(),
    ]),
  },
  closed,
);

/**
 * Pulls a body by a spring, as MuJoCo's own viewer does; null lets go, as does silence for `dragHoldMs`. Needs the seat.
 * `body` is its frame in the scene; `point` is where it is held, in the body's own frame; `target` is where to, in the world.
 */
export const DragSchema = Type.Object(
  {
    type: Type.Literal('drag'),
    key: Name,
    episode: Count,
    pull: Type.Union([
      Type.Object({ body: Type.Integer({ minimum: 1, maximum: 0xffff }), point: Point, target: Point }, closed),
      Type.Null(),
    ]),
  },
  closed,
);
export type Pull = NonNullable<Static<typeof DragSchema>['pull']>;

// ---------------------------------------------------------------- server to page

export const ActingHandSchema = Type.Union([
  Type.Literal('policy'),
  Type.Literal('taking-over'),
  Type.Literal('person'),
  Type.Literal('handing-back'),
]);
/** Who chooses the actions of an environment now. */
export type ActingHand = Static<typeof ActingHandSchema>;

/** An environment that is not simply run by its policy. */
export const HandledEnvironmentSchema = Type.Object(
  {
    key: Name,
    episode: Count,
    paused: Type.Boolean(),
    speed: SpeedSchema,
    hand: ActingHandSchema,
    dragged: Type.Boolean(),
    /** Whether a person had a part in this episode: it will not be scored. */
    assisted: Type.Boolean(),
  },
  closed,
);
export type HandledEnvironment = Static<typeof HandledEnvironmentSchema>;

/** Who controls, as seen by the page that it is sent to, and what is out of the ordinary. Replaces what was said before. */
export const ControlUpdatedSchema = Type.Object(
  {
    type: Type.Literal('control-updated'),
    seat: Type.Union([Type.Literal('free'), Type.Literal('mine'), Type.Literal('other')]),
    /** A name for whoever has the seat; empty if nobody has it. */
    controller: Name,
    /** Pages that ask for the seat, and whether this is one of them. */
    waiting: Count,
    asked: Type.Boolean(),
    /** Whether the controller has been silent for so long that the seat can be stolen. */
    stealable: Type.Boolean(),
    environments: Type.Array(HandledEnvironmentSchema, { maxItems: WIRE_LIMITS.environmentsPerPage }),
    /** Runs whose speed is set, with it. */
    speeds: Type.Array(Type.Object({ run: Name, speed: SpeedSchema }, closed), { maxItems: 64 }),
  },
  closed,
);
export type ControlUpdated = Static<typeof ControlUpdatedSchema>;

export type ControlSeatRequest = Static<typeof ControlSeatSchema>;
export type ControlRequest =
  | ControlSeatRequest
  | Static<typeof ControlSimulationSchema>
  | Static<typeof TeleoperateSchema>
  | Static<typeof DragSchema>;
