import { domainOf, type TaskId } from '../../protocol/task.ts';

/** What is pressed or deflected now. */
export interface Controls {
  /** `KeyboardEvent.code` of what is held down. */
  readonly keys: ReadonlySet<string>;
  /** Of the gamepad, -1 to 1; empty without one. */
  readonly axes: readonly number[];
  /** Where the gripper of Meta-World is wanted: 1 closes. */
  readonly grip: number;
  /** Dimension that the keys move where a task has no axes of its own. */
  readonly dimension: number;
}

/** One line of the overlay that explains the keys. */
export type Binding = readonly [keys: string, gamepad: string, meaning: string];

const DEAD_ZONE = 0.15;
/** With Shift, for the last centimetre. */
const GENTLE = 0.3;

/** Meta-World: the hand moves along the axes of the world, as seen by the robot. */
const HAND_KEYS = [
  ['KeyD', 'KeyA'],
  ['KeyW', 'KeyS'],
  ['KeyE', 'KeyQ'],
] as const;

/** Keys that steer, whatever the task; the page's other shortcuts must not hear them meanwhile. */
const STEERING_KEY = /^(Key[WASDEQG]|Digit\d|Bracket(Left|Right)|Shift(Left|Right))$/;

export function isSteeringKey(code: string): boolean {
  return STEERING_KEY.test(code);
}

/** [actionSize] in [-1, 1]. */
export function actionOf(task: TaskId, actionSize: number, controls: Controls): number[] {
  const { keys, axes, grip, dimension } = controls;
  const strength = keys.has('ShiftLeft') || keys.has('ShiftRight') ? GENTLE : 1;
  const pressed = ([more, less]: readonly [string, string]) =>
    strength * (Number(keys.has(more)) - Number(keys.has(less)));
  const [leftX, leftY, rightX, rightY] = [0, 1, 2, 3].map((axis) => deflection(axes[axis])) as [
    number,
    number,
    number,
    number,
  ];
  // Up is negative on a gamepad.
  if (domainOf(task) === 'metaworld') {
    const sticks = [leftX, -leftY, -rightY];
    return [...HAND_KEYS.map((pair, axis) => clamped(pressed(pair) + (sticks[axis] ?? 0))), grip];
  }
  const action = new Array<number>(actionSize).fill(0);
  for (const [offset, value] of [-leftY, leftX, -rightY, rightX].entries()) {
    if (dimension + offset < actionSize) action[dimension + offset] = value;
  }
  action[dimension] = clamped((action[dimension] ?? 0) + pressed(['KeyW', 'KeyS']));
  return action;
}

/** Whether the person does anything at present. */
export function isActive({ keys, axes }: Controls): boolean {
  return [...keys].some((code) => /^Key[WASDEQ]$/.test(code)) || axes.some((axis) => deflection(axis) !== 0);
}

/** The dimension chosen by a key: 1 to 9, or the one before or after; the same if the key chooses none. */
export function chosenDimension(code: string, present: number, actionSize: number): number {
  const digit = /^Digit([1-9])$/.exec(code)?.[1];
  const wanted =
    digit !== undefined
      ? Number(digit) - 1
      : present + Number(code === 'BracketRight') - Number(code === 'BracketLeft');
  return wanted >= 0 && wanted < actionSize ? wanted : present;
}

/** What the overlay says. */
export function bindingsOf(task: TaskId, actionSize: number): readonly Binding[] {
  if (domainOf(task) === 'metaworld') {
    return [
      ['D A', 'left stick ↔', 'x: right, left of the robot'],
      ['W S', 'left stick ↕', 'y: away from it, back'],
      ['E Q', 'right stick ↕', 'z: up, down'],
      ['G', 'A', 'gripper: close, open'],
      ['Shift', '', 'gently'],
    ];
  }
  const others = actionSize > 9 ? '1 – 9, [ ]' : `1 – ${actionSize}`;
  return [
    [others, '', `which of the ${actionSize} dimensions`],
    ['W S', 'left stick ↕', 'the chosen one: +, −'],
    ['', 'other axes', 'the three after it'],
    ['Shift', '', 'gently'],
  ];
}

function deflection(axis: number | undefined): number {
  return axis === undefined || Math.abs(axis) < DEAD_ZONE ? 0 : clamped(axis);
}

function clamped(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
