import { STEP_FLAGS } from '../../protocol/simulator-messages.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import { observationCheck } from './episode-tape.ts';
import type { LoadedRecording } from './load-recording.ts';

/** The first value that a replay made otherwise. */
export interface Difference {
  readonly step: number;
  /** `reward`, `poses[3].y`, `observation` (of which only a checksum is kept), … */
  readonly value: string;
  readonly recorded: number;
  readonly replayed: number;
}

const POSE_PARTS = ['x', 'y', 'z', 'qw', 'qx', 'qy', 'qz'] as const;

/** Compares one row of a replay bit for bit, the values that say most first; undefined if all are equal. */
export function firstDifference(recording: LoadedRecording, row: TickRow): Difference | undefined {
  const { header } = recording;
  const { step } = row;
  if (step > header.length) return { step, value: 'length', recorded: header.length, replayed: step };
  const differs = (value: string, recorded: number, replayed: number): Difference | undefined =>
    Object.is(recorded, replayed) ? undefined : { step, value, recorded, replayed };
  if (step > 0) {
    const index = step - 1;
    const difference =
      differs('reward', recording.rewards[index] ?? NaN, row.reward) ??
      differs('flags', recording.flags[index] ?? NaN, row.flags & ~STEP_FLAGS.poses) ??
      differingNumber(
        recording.executed.subarray(index * header.actionSize, step * header.actionSize),
        row.executed.subarray(0, header.actionSize),
        { step, nameOf: (at) => `executed[${at}]` },
      );
    if (difference !== undefined) return difference;
  }
  const picture = recording.poseSteps.indexOf(step);
  if (picture >= 0) {
    const width = header.poseRows * 7;
    const recorded = recording.poses.subarray(picture * width, (picture + 1) * width);
    const nameOf = (at: number): string => `poses[${Math.floor(at / 7)}].${POSE_PARTS[at % 7] ?? ''}`;
    const difference = differingNumber(recorded, row.poses ?? new Float32Array(), { step, nameOf });
    if (difference !== undefined) return difference;
  }
  const check = observationCheck(row, header.observationSize);
  return differs('observation', recording.observationChecks[step] ?? NaN, check);
}

function differingNumber(
  recorded: Float32Array,
  replayed: Float32Array,
  { step, nameOf }: { readonly step: number; readonly nameOf: (at: number) => string },
): Difference | undefined {
  for (let at = 0; at < recorded.length; at++) {
    const [before, now] = [recorded[at] ?? NaN, replayed[at] ?? NaN];
    if (!Object.is(before, now)) return { step, value: nameOf(at), recorded: before, replayed: now };
  }
  return undefined;
}
