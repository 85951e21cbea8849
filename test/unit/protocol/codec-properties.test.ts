import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePageRequest,
  decodeServerMessage,
  decodeWorkerMessage,
  encodeMessage,
  packFrames,
  unpackFrames,
} from '../../../protocol/codec.ts';
import { WIRE_LIMITS } from '../../../protocol/limits.ts';
import type { Act, Assign, Fault, Observed } from '../../../protocol/simulator-messages.ts';
import { TensorFrames, tensorView } from '../../../protocol/tensor.ts';

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const task = fc
  .tuple(fc.constantFrom('metaworld', 'dmcontrol'), fc.stringMatching(/^[A-Za-z0-9_-]{1,96}$/))
  .map((parts) => parts.join('/'));
const uint32 = fc.nat(0xffffffff);
const environment = fc.nat(WIRE_LIMITS.environmentsPerWorker - 1);

const fault: fc.Arbitrary<Fault> = fc.record(
  {
    type: fc.constant('fault' as const),
    environment,
    episode: fc.integer({ min: 1, max: 0xffffffff }),
    code: name,
    message: fc.string({ unit: 'binary', maxLength: 2000 }),
  },
  { requiredKeys: ['type', 'code', 'message'] },
);

const assign: fc.Arbitrary<Assign> = fc.record({
  type: fc.constant('assign' as const),
  environment,
  episode: fc.integer({ min: 1, max: 0xffffffff }),
  task,
  protocol: fc.constantFrom('official-v3' as const, 'l2m-paper' as const),
  seed: uint32,
  start: uint32,
  horizon: fc.integer({ min: 1, max: 100_000 }),
  actor: fc.oneof(
    fc.record({ kind: fc.constant('server' as const) }),
    fc.record({
      kind: fc.constant('expert' as const),
      noise: fc.double({ min: 0, max: 2, noNaN: true }),
      noiseSeed: uint32,
    }),
  ),
});

const rows = fc.tuple(fc.nat(20), fc.nat(50), fc.nat(12));

describe('whatever is encoded is decoded equally', () => {
  it('a fault, with text of any script', () => {
    fc.assert(
      fc.property(fault, (message) => {
        expect(decodeWorkerMessage(encodeMessage(message))).toEqual({ ok: true, value: { message, frames: [] } });
      }),
    );
  });

  it('an assignment, with any numbers', () => {
    fc.assert(
      fc.property(assign, (message) => {
        expect(decodeServerMessage(encodeMessage(message))).toEqual({ ok: true, value: { message, frames: [] } });
      }),
    );
  });

  it('a page request', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 60, noNaN: true }), (framesHz) => {
        const message = { type: 'subscribe', framesHz } as const;
        expect(decodePageRequest(encodeMessage(message))).toMatchObject({
          ok: true,
          value: { message: { type: 'subscribe' } },
        });
      }),
    );
  });

  it('observations and actions of any number of rows, with any bits, also through packed frames', () => {
    fc.assert(
      fc.property(rows, fc.infiniteStream(fc.float()), ([count, width, actionSize], numbers) => {
        const floats = (length: number): Float32Array =>
          Float32Array.from({ length }, () => numbers.next().value as number);
        const tensors = new TensorFrames();
        const observations = floats(count * width);
        const message: Observed = {
          type: 'observed',
          tick: count,
          environments: tensors.add(new Uint16Array(count), [count]),
          episodes: tensors.add(new Uint32Array(count), [count]),
          steps: tensors.add(new Uint32Array(count), [count]),
          observations: tensors.add(observations, [count, width]),
          rewards: tensors.add(new Float64Array(count), [count]),
          flags: tensors.add(new Uint8Array(count), [count]),
          executed: tensors.add(floats(count * actionSize), [count, actionSize]),
          simulateMs: 0,
          waitMs: 0,
        };
        const unpacked = unpackFrames(packFrames(encodeMessage(message, tensors.frames)));
        const result = unpacked.ok ? decodeWorkerMessage(unpacked.value) : unpacked;
        if (!result.ok || result.value.message.type !== 'observed') throw new Error('refused');
        expect(result.value.message).toEqual(message);
        expect(tensorView(result.value.message.observations, result.value.frames, 'float32')).toEqual(observations);

        const actions = new TensorFrames();
        const act: Act = {
          type: 'act',
          environments: actions.add(new Uint16Array(count), [count]),
          episodes: actions.add(new Uint32Array(count), [count]),
          actions: actions.add(floats(count * actionSize), [count, actionSize]),
        };
        expect(decodeServerMessage(encodeMessage(act, actions.frames))).toMatchObject({
          ok: true,
          value: { message: act },
        });
      }),
    );
  });
});

describe('whatever else arrives gets an answer', () => {
  it('any bytes as header and frames', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }), (foreign) => {
        for (const decode of [decodeWorkerMessage, decodeServerMessage, decodePageRequest]) {
          const result = decode(foreign);
          expect(result.ok ? '' : result.error.code).toMatch(/^L2M_/);
        }
      }),
    );
  });
});
