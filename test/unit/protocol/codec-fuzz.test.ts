import { describe, expect, it } from 'vitest';
import { randomSource, type RandomSource } from '../../../agent/random.ts';
import { encodeMessage, packFrames, unpackFrames, type Decoded, type WireMessage } from '../../../protocol/codec.ts';
import { ERROR_TABLE } from '../../../protocol/error-codes.ts';
import { tensorView, type TensorHeader } from '../../../protocol/tensor.ts';
import { DECODERS } from '../../support/decoders.ts';
import { mutatedFrames } from '../../support/frame-mutator.ts';
import type { Direction } from '../../support/golden-message.ts';
import { goldenMessages } from '../../support/golden-messages.ts';
import { readableMessage } from '../../support/readable-message.ts';

const MESSAGES = 100_000;
const SEED = 7;
/** Generous, as another process may hold the core; a hang or a quadratic loop is far beyond it. */
const LONGEST_MS = 500;
const LARGEST_GROWTH_BYTES = 192 * 1024 * 1024;
const LONGEST_ERROR = 1000;

const DECODER_CODES = ['L2M_FRAME_TOO_LARGE', 'L2M_FRAME_MALFORMED', 'L2M_MESSAGE_INVALID', 'L2M_TENSOR_MISMATCH'];
const directions = Object.keys(DECODERS) as Direction[];

describe('decoders under random and damaged messages', () => {
  it(
    `answer each of ${MESSAGES} with a message or an error code, quickly and in bounded memory`,
    { timeout: 120_000 },
    () => {
      const random = randomSource(SEED);
      const valid = goldenMessages().map(({ direction, message, frames }) => ({
        direction,
        frames: encodeMessage(message, frames),
        readable: readableMessage(message, frames),
      }));
      const all = valid.map(({ frames }) => frames);
      const counts = new Map<string, number>();
      let slowestMs = 0;
      let largestRss = 0;
      let startRss = 0;
      for (let i = 0; i < MESSAGES; i++) {
        const base = valid[i % valid.length]!;
        const direction = random.below(8) === 0 ? directions[random.below(directions.length)]! : base.direction;
        const damaged =
          random.below(3) === 0 ? damagedPacked(base.frames, random) : mutatedFrames(base.frames, all, random);

        const decode = () => {
          const frames = damaged instanceof Uint8Array ? unpackFrames(damaged) : { ok: true as const, value: damaged };
          return frames.ok ? DECODERS[direction](frames.value) : frames;
        };
        const start = performance.now();
        const result = decode();
        const firstMs = performance.now() - start;
        slowestMs = Math.max(slowestMs, firstMs < LONGEST_MS ? firstMs : shortestMs(decode));

        const outcome = result.ok ? 'ok' : result.error.code;
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (result.ok) readEverything(result.value);
        else if (result.error.message.length > LONGEST_ERROR)
          expect(result.error.message.length).toBeLessThan(LONGEST_ERROR);

        if (i % 500 === 0) {
          const rss = process.memoryUsage.rss();
          // The first rounds compile validators and warm the optimiser up.
          if (i === 5000) startRss = rss;
          largestRss = Math.max(largestRss, rss);
          const again = DECODERS[base.direction](base.frames);
          if (!again.ok) throw new Error(`a valid message was refused: ${again.error.message}`);
          expect(readableMessage(again.value.message, again.value.frames)).toEqual(base.readable);
        }
      }
      expect(slowestMs, 'milliseconds of the slowest message').toBeLessThan(LONGEST_MS);
      expect(largestRss - startRss, 'growth of the process in bytes').toBeLessThan(LARGEST_GROWTH_BYTES);
      for (const outcome of counts.keys()) {
        expect(['ok', ...DECODER_CODES]).toContain(outcome);
        if (outcome !== 'ok') expect(ERROR_TABLE).toHaveProperty(outcome);
      }
      // The damage reaches every stage of the decoder, also the end.
      for (const outcome of ['ok', ...DECODER_CODES])
        expect(counts.get(outcome) ?? 0, outcome).toBeGreaterThan(MESSAGES / 200);
    },
  );
});

/** What is slow is slow each time; what another process interrupted is not. */
function shortestMs(work: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

/** Damage to the joined bytes of a WebSocket message, the table of lengths in front included. */
function damagedPacked(frames: readonly Uint8Array[], random: RandomSource): Uint8Array {
  const packed = packFrames(frames);
  const inTable = 4 * (frames.length + 1);
  for (let flips = 1 + random.below(3); flips > 0; flips--) {
    const at = random.below(random.below(2) === 0 ? inTable : packed.length);
    packed[at] = random.below(2) === 0 ? (packed[at] ?? 0) ^ (1 << random.below(8)) : random.below(256);
  }
  return random.below(4) === 0 ? packed.subarray(0, random.below(packed.length + 1)) : packed;
}

/** An accepted message can be used: its tensors can be viewed with the data type that the header names. */
function readEverything({ message, frames }: Decoded<WireMessage>): void {
  for (const value of Object.values(message) as unknown[]) {
    if (typeof value !== 'object' || value === null || !('dtype' in value)) continue;
    const header = value as TensorHeader;
    const view = tensorView(header, frames, header.dtype);
    if (view.length !== header.shape.reduce((product, size) => product * size, 1)) throw new Error('a wrong view');
  }
}
