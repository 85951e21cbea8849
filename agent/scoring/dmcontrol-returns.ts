/** Returns of one DMControl task, 1000 steps. */
export interface DmcontrolReturns {
  /** Largest return in the reference's data set; what its policy is asked for. */
  readonly target: number;
  /** Mean return of random actions. */
  readonly random: number;
  /** Mean return of the whole data set, not of an expert: normalised scores above 1 are ordinary (spec §6.2). */
  readonly data: number;
}

/** Source: spec §6.5, with the reference's misspelt `point-mass_easy` put right (spec §9.3). */
export const DMCONTROL_RETURNS: Readonly<Record<string, DmcontrolReturns>> = {
  'acrobot-swingup': { target: 158.764, random: 8.351, data: 4.877 },
  'ball_in_cup-catch': { target: 1000, random: 0, data: 926.719 },
  'cartpole-balance': { target: 993.194, random: 350.391, data: 938.506 },
  'cartpole-swingup': { target: 857.492, random: 27.414, data: 766.15 },
  'cheetah-run': { target: 451.274, random: 3.207, data: 324.045 },
  'finger-spin': { target: 987, random: 0.2, data: 834.629 },
  'finger-turn_easy': { target: 1000, random: 57.8, data: 800.645 },
  'finger-turn_hard': { target: 1000, random: 40.6, data: 676.144 },
  'fish-swim': { target: 794.356, random: 67.675, data: 78.212 },
  'fish-upright': { target: 999.433, random: 229.406, data: 547.962 },
  'hopper-hop': { target: 116.777, random: 0.076, data: 62.794 },
  'hopper-stand': { target: 975.575, random: 1.296, data: 266.783 },
  'humanoid-run': { target: 2.567, random: 0.741, data: 0.794 },
  'humanoid-stand': { target: 17.218, random: 4.327, data: 5.053 },
  'humanoid-walk': { target: 12.589, random: 0.913, data: 1.194 },
  'manipulator-bring_ball': { target: 19.022, random: 0, data: 0.429 },
  'manipulator-insert_ball': { target: 1000, random: 0, data: 43.307 },
  'manipulator-insert_peg': { target: 1000, random: 0.235, data: 78.477 },
  'pendulum-swingup': { target: 1000, random: 0, data: 614.491 },
  'point_mass-easy': { target: 998.373, random: 1.341, data: 779.273 },
  'reacher-easy': { target: 1000, random: 33, data: 849.241 },
  'reacher-hard': { target: 1000, random: 8, data: 779.947 },
  'swimmer-swimmer15': { target: 1000, random: 78.817, data: 152.297 },
  'swimmer-swimmer6': { target: 1000, random: 229.834, data: 167.082 },
  'walker-run': { target: 513.464, random: 23.427, data: 344.794 },
  'walker-stand': { target: 999.82, random: 134.701, data: 816.322 },
  'walker-walk': { target: 982.159, random: 30.193, data: 773.174 },
};
