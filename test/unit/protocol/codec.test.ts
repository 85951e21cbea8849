import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import {
  decodePageEvent,
  decodePageRequest,
  decodeServerMessage,
  decodeWorkerMessage,
  encodeMessage,
} from '../../../protocol/codec.ts';
import type { Snapshot } from '../../../protocol/dashboard-messages.ts';
import { IDLE_LOAD } from '../../../protocol/idle-load.ts';
import { WIRE_LIMITS } from '../../../protocol/limits.ts';
import { tensorView } from '../../../protocol/tensor.ts';
import { canGenerateCode, decodedGoldens } from '../../support/decode-goldens.ts';
import { DECODERS } from '../../support/decoders.ts';
import type { Direction } from '../../support/golden-message.ts';
import { goldenMessages } from '../../support/golden-messages.ts';
import { observedMessage } from '../../support/observed-message.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const { message: observed, frames } = observedMessage(4);

/** The error of a worker message whose header holds `header`. */
function refusal(header: unknown, tensorFrames: readonly Uint8Array[] = frames): string {
  const result = decodeWorkerMessage([packr.encode(header), ...tensorFrames]);
  return result.ok ? 'accepted' : `${result.error.code} ${result.error.message}`;
}

describe('decoding a valid message', () => {
  it('gives the message and its frames without copying them', () => {
    const encoded = encodeMessage(observed, frames);
    const result = decodeWorkerMessage(encoded);
    if (!result.ok) throw new Error(result.error.message);
    expect(result.value.message).toEqual(observed);
    expect(result.value.frames[3]).toBe(frames[3]);
    if (result.value.message.type !== 'observed') throw new Error('another type');
    const view = tensorView(result.value.message.observations, result.value.frames, 'float32');
    expect(view).toHaveLength(4 * 39);
    expect(view.buffer).toBe(frames[3]?.buffer);
  });

  it('does not change with the messages decoded before', () => {
    for (const { direction, message, frames: tensorFrames } of [...goldenMessages(), ...goldenMessages()]) {
      const result = DECODERS[direction](encodeMessage(message, tensorFrames));
      expect(result).toMatchObject({ ok: true, value: { message } });
    }
  });

  it('takes the last of equal keys, as Python does', () => {
    const [type, watch, drain, reason] = ['type', 'watch', 'drain', 'reason'].map((text) => packr.encode(text));
    const header = Buffer.concat([Uint8Array.of(0x83), type!, watch!, type!, drain!, reason!, reason!]);
    expect(decodeServerMessage([header])).toMatchObject({
      ok: true,
      value: { message: { type: 'drain', reason: 'reason' } },
    });
  });

  it('is done in well under a tenth of a millisecond for 16 environments', () => {
    const large = observedMessage(16);
    const encoded = encodeMessage(large.message, large.frames);
    const rounds = 2000;
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      for (let i = 0; i < rounds; i++) decodeWorkerMessage(encoded);
      return (1000 * (performance.now() - start)) / rounds;
    });
    expect(Math.min(...times), 'microseconds a message').toBeLessThan(100);
  });
});

describe('decoding refuses', () => {
  it('a message of another direction', () => {
    for (const { direction, message, frames: tensorFrames } of goldenMessages()) {
      const elsewhere = (Object.keys(DECODERS) as Direction[]).filter((other) => other !== direction);
      for (const other of elsewhere) {
        const result = DECODERS[other](encodeMessage(message, tensorFrames));
        expect(result.ok, `${message.type} of ${direction} read as ${other}`).toBe(
          isSharedRefusal(message.type, direction, other),
        );
      }
    }
  });

  it.each([
    ['nothing', [], 'L2M_FRAME_MALFORMED'],
    ['an empty header', [new Uint8Array(0)], 'L2M_FRAME_MALFORMED'],
    ['too many frames', Array.from({ length: 19 }, () => new Uint8Array(1)), 'L2M_FRAME_TOO_LARGE'],
    ['a large header', [new Uint8Array(WIRE_LIMITS.headerBytes + 1)], 'L2M_FRAME_TOO_LARGE'],
    ['a large message', [Uint8Array.of(0x80), new Uint8Array(WIRE_LIMITS.messageBytes)], 'L2M_FRAME_TOO_LARGE'],
  ])('%s', (_name, foreign, code) => {
    for (const decode of [decodeWorkerMessage, decodeServerMessage, decodePageRequest]) {
      const result = decode(foreign);
      expect(result.ok ? 'accepted' : result.error.code).toBe(code);
    }
  });

  it.each([
    ['an unknown type', { type: 'observd' }, 'type is "observd", expected one of hello, described, observed'],
    ['no type', { tick: 1 }, 'type is nothing, expected one of'],
    ['a type that is no text', { type: [1] }, 'type is an array of 1'],
    ['missing fields', { type: 'bye' }, 'bye must have reason'],
    ['unknown fields', { ...observed, extra: 1 }, 'observed must not have extra'],
    ['a number too small', { ...observed, waitMs: -1 }, 'observed.waitMs must be >= 0, got -1'],
    [
      'text for a number',
      { ...observed, tick: 'x'.repeat(500) },
      `observed.tick must be integer, got "${'x'.repeat(60)}…"`,
    ],
    [
      'half an environment',
      { type: 'fault', environment: 0.5, code: 'A', message: '' },
      'fault.environment must be integer',
    ],
    [
      'an unknown choice',
      { ...observed, flags: { ...observed.flags, dtype: 'int8' } },
      'observed.flags.dtype must be "float32" or',
    ],
    [
      'a shape of five sizes',
      { ...observed, flags: { ...observed.flags, shape: [4, 1, 1, 1, 1] } },
      'observed.flags.shape',
    ],
    [
      'a negative size',
      { ...observed, flags: { ...observed.flags, shape: [-4] } },
      'observed.flags.shape.0 must be >= 0',
    ],
    [
      'frame 16',
      { ...observed, flags: { ...observed.flags, frame: 16 } },
      'observed.flags.frame must be <= 15, got 16',
    ],
    ['null for an optional field', { ...observed, targets: null }, 'observed.targets'],
  ])('%s, and says where', (_name, header, text) => {
    const refused = refusal(header);
    expect(refused).toContain('L2M_MESSAGE_INVALID');
    expect(refused).toContain(text);
    expect(refused.length).toBeLessThan(400);
  });

  it.each([
    [
      'another data type than the field has',
      { ...observed, rewards: observed.flags, flags: observed.rewards },
      'observed.rewards: expected float64 [n], got uint8 [4]',
    ],
    [
      'two tensors in one frame',
      { ...observed, steps: { ...observed.steps, frame: 1 } },
      'observed.steps shares frame 1',
    ],
    [
      'disagreeing sizes',
      { ...observed, flags: { ...observed.flags, shape: [3] } },
      'observed.flags: uint8 [3] takes 3 bytes, got 4',
    ],
  ])('%s, and says where', (_name, header, text) => {
    expect(refusal(header)).toContain(`L2M_TENSOR_MISMATCH A tensor does not match its description: ${text}`);
  });

  it('a key that reaches a prototype, without touching it', () => {
    const header = new Map<string, unknown>([
      ...Object.entries({ type: 'bye', reason: '' }),
      ['__proto__', { polluted: true }],
    ]);
    expect(refusal(header, [])).toContain('a forbidden key');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('the larger limits for pages', () => {
  const view = {
    run: 'r',
    episode: 1,
    task: 'metaworld/pick-place-wall-v3',
    start: 0,
    horizon: 500,
    scene: 'f'.repeat(64),
  };
  const environments = Array.from({ length: WIRE_LIMITS.environmentsPerPage }, (_, i) => ({
    ...view,
    key: `worker:${i}`,
  }));
  const snapshot: Snapshot = {
    ...{ type: 'snapshot', sequence: 1, runs: [], environments, workers: [] },
    ...{ load: IDLE_LOAD, model: null },
  };

  it('let a snapshot of all environments through', () => {
    expect(decodePageEvent(encodeMessage(snapshot)).ok).toBe(true);
  });

  it('do not apply to what a page or a worker sends', () => {
    const encoded = encodeMessage(snapshot);
    expect(encoded[0]?.byteLength).toBeGreaterThan(WIRE_LIMITS.headerBytes);
    const result = decodePageRequest(encoded);
    expect(result.ok ? 'accepted' : result.error.code).toBe('L2M_FRAME_TOO_LARGE');
  });
});

describe('without code generation from strings, as under a strict Content-Security-Policy', () => {
  it('decodes and refuses the same', () => {
    const script = join(import.meta.dirname, '..', '..', 'support', 'print-goldens.ts');
    const flags = ['--disallow-code-generation-from-strings', '--import', 'tsx'];
    expect(canGenerateCode()).toBe(true);
    expect(execFileSync(process.execPath, [...flags, script], { encoding: 'utf8' })).toBe(decodedGoldens());
  });
});

/** `welcome`, `refused` and `hello` are names in two directions; only the two refusals have the same fields. */
function isSharedRefusal(type: string, direction: Direction, other: Direction): boolean {
  const directions: readonly Direction[] = ['server', 'pageEvent'];
  return type === 'refused' && directions.includes(direction) && directions.includes(other);
}
