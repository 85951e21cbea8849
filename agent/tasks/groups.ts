import type { TaskId } from '../../protocol/task.ts';

/** Meta-World's own MT10, in its order. */
const MT10 = [
  'reach',
  'push',
  'pick-place',
  'door-open',
  'drawer-open',
  'drawer-close',
  'button-press-topdown',
  'peg-insert-side',
  'window-open',
  'window-close',
] as const;

/** Tasks of the paper's pre-training, in the reference's order (spec §5.1). */
const MT40 = [
  'assembly',
  'button-press',
  'disassemble',
  'plate-slide-side',
  'door-lock',
  'door-unlock',
  'pick-place',
  'drawer-close',
  'coffee-pull',
  'handle-pull',
  'peg-insert-side',
  'door-close',
  'button-press-topdown',
  'lever-pull',
  'reach',
  'door-open',
  'sweep',
  'box-close',
  'button-press-wall',
  'basketball',
  'soccer',
  'handle-press',
  'coffee-button',
  'faucet-open',
  'plate-slide',
  'reach-wall',
  'handle-pull-side',
  'drawer-open',
  'dial-turn',
  'sweep-into',
  'bin-picking',
  'coffee-push',
  'pick-out-of-hole',
  'button-press-topdown-wall',
  'plate-slide-back-side',
  'plate-slide-back',
  'stick-push',
  'hand-insert',
  'window-open',
  'pick-place-wall',
] as const;

/** Continual-World tasks in the order they are learned (spec §5.1). */
const CW10 = [
  'hammer',
  'push-wall',
  'faucet-close',
  'push-back',
  'stick-pull',
  'handle-press-side',
  'push',
  'shelf-place',
  'window-close',
  'peg-unplug-side',
] as const;

/** DMControl tasks of the paper's pre-training (spec §5.1). */
const DMC10 = [
  'cartpole-balance',
  'finger-turn_easy',
  'finger-turn_hard',
  'fish-upright',
  'hopper-stand',
  'pendulum-swingup',
  'point_mass-easy',
  'reacher-hard',
  'walker-stand',
  'walker-run',
] as const;

/** DMControl tasks learned later. The reference names reacher-hard in places; the paper's 16 tasks mean reacher-easy (spec §5.1). */
const DMC6 = [
  'ball_in_cup-catch',
  'cartpole-swingup',
  'cheetah-run',
  'finger-spin',
  'reacher-easy',
  'walker-walk',
] as const;

/** The rest of the suite. */
const OTHER_DMCONTROL = [
  'acrobot-swingup',
  'acrobot-swingup_sparse',
  'cartpole-balance_sparse',
  'cartpole-swingup_sparse',
  'cartpole-three_poles',
  'cartpole-two_poles',
  'dog-fetch',
  'dog-run',
  'dog-stand',
  'dog-trot',
  'dog-walk',
  'fish-swim',
  'hopper-hop',
  'humanoid-run',
  'humanoid-run_pure_state',
  'humanoid-stand',
  'humanoid-walk',
  'humanoid_CMU-run',
  'humanoid_CMU-stand',
  'humanoid_CMU-walk',
  'lqr-lqr_2_1',
  'lqr-lqr_6_2',
  'manipulator-bring_ball',
  'manipulator-bring_peg',
  'manipulator-insert_ball',
  'manipulator-insert_peg',
  'point_mass-hard',
  'quadruped-escape',
  'quadruped-fetch',
  'quadruped-run',
  'quadruped-walk',
  'stacker-stack_2',
  'stacker-stack_4',
  'swimmer-swimmer15',
  'swimmer-swimmer6',
] as const;

const metaworld = (names: readonly string[]): TaskId[] => names.map((name) => `metaworld/${name}-v3`);
const dmcontrol = (names: readonly string[]): TaskId[] => names.map((name) => `dmcontrol/${name}`);

/** Groups of tasks with a name. CW20 is CW10 learned twice. */
export const TASK_GROUPS = {
  MT10: metaworld(MT10),
  MT40: metaworld(MT40),
  MT50: metaworld([...MT40, ...CW10]),
  CW10: metaworld(CW10),
  CW20: metaworld([...CW10, ...CW10]),
  DMC10: dmcontrol(DMC10),
  DMC6: dmcontrol(DMC6),
  DMC16: dmcontrol([...DMC10, ...DMC6]),
} as const satisfies Record<string, readonly TaskId[]>;

/** Every task of both suites. Some of DMControl's have more actuators than the policy has action tokens: other policies run them. */
export const KNOWN_TASKS: readonly TaskId[] = [
  ...TASK_GROUPS.MT50,
  ...TASK_GROUPS.DMC16,
  ...dmcontrol(OTHER_DMCONTROL),
];
