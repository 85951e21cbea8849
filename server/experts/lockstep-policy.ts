import type { TaskSpec } from '../../protocol/task.ts';
import { immediateDecision, type ActingPolicy, type Decision, type EpisodePolicy } from '../rollouts/acting-policy.ts';
import type { EpisodePlan } from '../rollouts/plan.ts';
import type { TickRow } from '../simulators/tick-rows.ts';

export interface LockstepOptions {
  readonly name: string;
  /** E, episodes that step together. */
  readonly lanes: number;
  /** T, decisions of an episode. */
  readonly decisions: number;
  readonly actionRepeat: number;
  /** Start index of episode 0. */
  readonly firstStart: number;
  readonly observationSize: number;
  readonly actionSize: number;
  /** Round under way, and the actions [decisions, A] that its lanes have taken in an earlier session. */
  readonly round: number;
  readonly history: readonly Float32Array[];
  /** @param observations [E, W] @param rewards [E] @returns [E, A] */
  readonly decide: (observations: Float32Array, rewards: Float32Array) => Promise<Float32Array>;
  /** Asked before each tick; true lets all lanes wait for ever. */
  readonly halted: () => boolean;
  readonly failed: (reason: unknown) => void;
}

interface Waiting {
  readonly decision: number;
  readonly observation: Float32Array;
  readonly reward: number;
  readonly resolve: (decision: Decision) => void;
}

/**
 * Decides for E episodes at once, in step, so that what is learned does not depend on which simulator is faster. Episode n is lane
 * n modulo E of round n / E. Decisions of the round are remembered: an episode that is begun anew, because its worker was lost or
 * because the training is resumed, is brought to where it was by taking them again.
 */
export function lockstepPolicy(options: LockstepOptions): ActingPolicy {
  const { lanes, actionRepeat, observationSize, actionSize, firstStart } = options;
  let round = options.round;
  let taken: Decision[][] = Array.from({ length: lanes }, (_, lane) => actionsOf(options.history[lane], actionSize));
  /** By number of the episode; more environments than lanes may begin episodes of the next round early. */
  const waiting = new Map<number, Waiting>();

  const waitingIn = (wanted: number): Waiting[] =>
    Array.from({ length: lanes }, (_, lane) => waiting.get(wanted * lanes + lane)).filter((one) => one !== undefined);

  const tick = (): void => {
    if (options.halted()) return;
    const complete = taken.every((decisions) => decisions.length === options.decisions);
    // Not before every lane is there: until then an episode of this round may have to be begun anew.
    if (complete && waitingIn(round + 1).length === lanes) {
      round += 1;
      taken = taken.map(() => []);
    }
    const all = waitingIn(round);
    const decision = taken[0]?.length;
    if (all.length < lanes || !all.every((one) => one.decision === decision)) return;
    const observations = new Float32Array(lanes * observationSize);
    const rewards = new Float32Array(lanes);
    all.forEach((one, lane) => {
      observations.set(one.observation, lane * observationSize);
      rewards[lane] = one.reward;
      waiting.delete(round * lanes + lane);
    });
    options.decide(observations, rewards).then((actions) => {
      all.forEach((one, lane) => {
        const made = immediateDecision(actions.slice(lane * actionSize, (lane + 1) * actionSize));
        taken[lane]?.push(made);
        one.resolve(made);
        // An episode that was begun anew may have come as far while this was decided.
        const again = waiting.get(round * lanes + lane);
        if (again === undefined || again.decision !== decision) return;
        waiting.delete(round * lanes + lane);
        again.resolve(made);
      });
    }, options.failed);
  };

  const begin = (_: TaskSpec, plan: EpisodePlan): EpisodePolicy => {
    const number = plan.start - firstStart;
    const [lane, own] = [number % lanes, Math.floor(number / lanes)];
    let current: Decision | undefined;
    let reward = 0;
    return {
      decide: (row: TickRow): Decision | Promise<Decision> => {
        // As the trajectory file keeps it, so that a replay read back from there is the same.
        if (row.step > 0) reward += Math.fround(row.reward);
        if (row.step % actionRepeat !== 0 && current !== undefined) return current;
        const decision = row.step / actionRepeat;
        const earned = reward;
        reward = 0;
        const known = own === round ? taken[lane]?.[decision] : undefined;
        if (known !== undefined) return (current = known);
        return new Promise((resolve) => {
          waiting.set(number, {
            ...{ decision, reward: earned },
            observation: row.observation.slice(0, observationSize),
            resolve: (decided) => resolve((current = decided)),
          });
          tick();
        });
      },
    };
  };
  return { name: options.name, assertSupports: () => undefined, begin };
}

function actionsOf(history: Float32Array = new Float32Array(), actionSize: number): Decision[] {
  return Array.from({ length: history.length / actionSize }, (_, decision) =>
    immediateDecision(history.slice(decision * actionSize, (decision + 1) * actionSize)),
  );
}
