import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packFrames, unpackFrames } from '../../../protocol/frame-pack.ts';
import { WIRE_LIMITS } from '../../../protocol/limits.ts';

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

describe('packFrames and unpackFrames', () => {
  const framesArbitrary = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: WIRE_LIMITS.frameCount });

  it('are inverse to each other, whatever the frames', () => {
    fc.assert(
      fc.property(framesArbitrary, (frames) => {
        const packed = packFrames(frames);
        const result = unpackFrames(packed);
        expect(packed.byteLength % 8).toBe(0);
        expect(result).toEqual({ ok: true, value: frames });
      }),
    );
  });

  it('give views at multiples of 8 bytes', () => {
    const result = unpackFrames(packFrames([Uint8Array.of(1), new Uint8Array(9), Uint8Array.of(2, 3)]));
    if (!result.ok) throw new Error(result.error.message);
    expect(result.value.map((frame) => frame.byteOffset)).toEqual([16, 24, 40]);
  });

  it('read bytes that lie inside a larger buffer', () => {
    const inside = Buffer.concat([Buffer.from([9, 9, 9]), packFrames([Uint8Array.of(7)])]).subarray(3);
    expect(unpackFrames(inside)).toEqual({ ok: true, value: [Buffer.from([7])] });
  });

  it.each([
    { name: 'nothing', bytes: new Uint8Array(0), code: 'L2M_FRAME_MALFORMED', text: '0 bytes are too few' },
    { name: 'half a count', bytes: new Uint8Array(3), code: 'L2M_FRAME_MALFORMED', text: '3 bytes are too few' },
    { name: 'a count without lengths', bytes: words(3, 0), code: 'L2M_FRAME_MALFORMED', text: 'lengths of 3 frames' },
    {
      name: 'a huge count',
      bytes: words(0xffffffff, 0),
      code: 'L2M_FRAME_TOO_LARGE',
      text: '4294967295 frames of at most 18',
    },
    {
      name: 'a huge length',
      bytes: words(1, 0xffffffff),
      code: 'L2M_FRAME_MALFORMED',
      text: 'frame 0 declares 4294967295 bytes, 0 are left',
    },
    {
      name: 'a length one too long',
      bytes: words(1, 9, 0, 0),
      code: 'L2M_FRAME_MALFORMED',
      text: 'frame 0 declares 9 bytes, 8 are left',
    },
    {
      name: 'bytes at the end',
      bytes: words(1, 4, 0, 0, 0, 0),
      code: 'L2M_FRAME_MALFORMED',
      text: '8 bytes after the last frame',
    },
    {
      name: 'too many bytes',
      bytes: new Uint8Array(WIRE_LIMITS.messageBytes + 8),
      code: 'L2M_FRAME_TOO_LARGE',
      text: 'of at most 67108864',
    },
  ])('refuse $name', ({ bytes, code, text }) => {
    const result = unpackFrames(bytes);
    if (result.ok) throw new Error('accepted');
    expect(result.error.code).toBe(code);
    expect(result.error.message).toContain(text);
  });
});
