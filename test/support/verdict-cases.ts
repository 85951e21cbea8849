import { randomSource } from '../../agent/random.ts';
import { encodeMessage, packFrames } from '../../protocol/codec.ts';
import { DECODERS } from './decoders.ts';
import { mutatedFrames } from './frame-mutator.ts';
import { goldenMessages } from './golden-messages.ts';

export interface VerdictCase {
  readonly direction: 'worker' | 'server';
  /** `packFrames` of the mutated message. */
  readonly packed: string;
  /** `ok` or the code of the error. */
  readonly verdict: string;
}

const SEED = 20_250_101;
const CASES_PER_VERDICT = 120;
const LARGEST_CASE_BYTES = 700;
const VERDICTS = ['ok', 'L2M_FRAME_TOO_LARGE', 'L2M_FRAME_MALFORMED', 'L2M_MESSAGE_INVALID', 'L2M_TENSOR_MISMATCH'];

/** Damaged messages with what this decoder says of them: the decoder of the other language must say the same. */
export function verdictCases(): VerdictCase[] {
  const random = randomSource(SEED);
  const simulatorMessages = goldenMessages().flatMap(({ direction, message, frames }) =>
    direction === 'worker' || direction === 'server' ? [{ direction, frames: encodeMessage(message, frames) }] : [],
  );
  const all = simulatorMessages.map(({ frames }) => frames);
  const counts = new Map<string, number>();
  const cases: VerdictCase[] = [];
  while (cases.length < VERDICTS.length * CASES_PER_VERDICT) {
    const { direction, frames } = simulatorMessages[random.below(simulatorMessages.length)]!;
    const mutated = mutatedFrames(frames, all, random);
    const packed = packFrames(mutated);
    if (packed.byteLength > LARGEST_CASE_BYTES) continue;
    const result = DECODERS[direction](mutated);
    const verdict = result.ok ? 'ok' : result.error.code;
    const count = counts.get(verdict) ?? 0;
    if (count >= CASES_PER_VERDICT) continue;
    counts.set(verdict, count + 1);
    cases.push({ direction, packed: Buffer.from(packed).toString('base64'), verdict });
  }
  return cases;
}
