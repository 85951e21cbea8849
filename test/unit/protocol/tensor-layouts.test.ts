import { describe, expect, it } from 'vitest';
import { DIMENSION_LIMITS, TENSOR_LAYOUTS, tensorFault, type MessageLayout } from '../../../protocol/tensor-layouts.ts';
import { TensorSchema } from '../../../protocol/tensor.ts';
import { DIRECTIONS } from '../../support/protocol-schema.ts';

const layout: MessageLayout = { ids: ['uint16', 'n'], rows: ['float32', 'n', 'W'], poses: ['float32', 'm', 7] };
const ids = { dtype: 'uint16', shape: [2], frame: 0 };
const rows = { dtype: 'float32', shape: [2, 3], frame: 1 };
const idBytes = new Uint8Array(4);
const rowBytes = new Uint8Array(24);

describe('layouts', () => {
  const messages = Object.entries(DIRECTIONS).flatMap(([direction, schemas]) =>
    schemas.map((schema) => ({ direction: direction as keyof typeof DIRECTIONS, schema })),
  );

  it.each(messages)('name exactly the tensors of $direction $schema.properties.type.const', ({ direction, schema }) => {
    const layouts: Readonly<Record<string, MessageLayout>> = TENSOR_LAYOUTS[direction];
    const fields = Object.entries<object>(schema.properties).filter(([, property]) => isTensor(property));
    expect(Object.keys(layouts[schema.properties.type.const] ?? {}).sort()).toEqual(
      fields.map(([name]) => name).sort(),
    );
    const nested = Object.values<object>(schema.properties).filter((property) => !isTensor(property));
    expect(JSON.stringify(nested), 'tensors are at the top of a message').not.toContain('"frame":{"type":"integer"');
  });

  it('are of messages that exist', () => {
    for (const { direction } of messages) {
      const types = DIRECTIONS[direction].map((schema) => schema.properties.type.const as string);
      for (const type of Object.keys(TENSOR_LAYOUTS[direction])) expect(types).toContain(type);
    }
  });

  it('bound every dimension that says how many rows a reader has to work on', () => {
    for (const letter of ['n', 'p', 'v', 'W', 'A']) expect(DIMENSION_LIMITS[letter]).toBeGreaterThan(0);
  });
});

describe('tensorFault', () => {
  it('has nothing to say of fitting tensors, in any order of frames', () => {
    expect(tensorFault({ ids, rows }, [idBytes, rowBytes], layout)).toBeUndefined();
    expect(tensorFault({ ids: { ...ids, frame: 1 }, rows: { ...rows, frame: 0 } }, [rowBytes, idBytes], layout)).toBe(
      undefined,
    );
    expect(tensorFault({ type: 'alive' }, [], {})).toBeUndefined();
  });

  it.each([
    {
      name: 'a missing frame',
      message: { ids, rows },
      frames: [idBytes],
      text: 'rows is in frame 1, the message has 1 tensor frames',
    },
    {
      name: 'a shared frame',
      message: { ids, rows: { ...rows, frame: 0 } },
      frames: [idBytes, rowBytes],
      text: 'rows shares frame 0',
    },
    {
      name: 'an unused frame',
      message: { ids },
      frames: [idBytes, rowBytes],
      text: '2 tensor frames, of which 1 are used',
    },
    { name: 'frames without tensors', message: {}, frames: [idBytes], text: '1 tensor frames, of which 0 are used' },
    {
      name: 'a frame too short',
      message: { ids, rows },
      frames: [idBytes, new Uint8Array(23)],
      text: 'rows: float32 [2, 3] takes 24 bytes, got 23',
    },
    {
      name: 'a frame too long',
      message: { ids, rows },
      frames: [idBytes, new Uint8Array(28)],
      text: 'rows: float32 [2, 3] takes 24 bytes, got 28',
    },
    {
      name: 'a huge shape',
      message: { ids: { ...ids, shape: [0x7fffffff] } },
      frames: [idBytes],
      text: 'takes 4294967294 bytes, got 4',
    },
    {
      name: 'another type',
      message: { ids: { ...ids, dtype: 'uint8', shape: [4] } },
      frames: [idBytes],
      text: 'expected uint16 [n], got uint8 [4]',
    },
    {
      name: 'another rank',
      message: { ids: { ...ids, shape: [2, 1] } },
      frames: [idBytes],
      text: 'expected uint16 [n], got uint16 [2, 1]',
    },
    {
      name: 'disagreeing rows',
      message: { ids, rows: { ...rows, shape: [3, 2] } },
      frames: [idBytes, rowBytes],
      text: 'n is 2 elsewhere in the message, got 3',
    },
    {
      name: 'poses of 6 numbers',
      message: { poses: { dtype: 'float32', shape: [1, 6], frame: 0 } },
      frames: [rowBytes],
      text: 'expected float32 [m, 7]',
    },
    {
      name: 'too many rows',
      message: { ids: { ...ids, shape: [257] } },
      frames: [new Uint8Array(514)],
      text: 'n is at most 256, got 257',
    },
    {
      name: 'a row too wide',
      message: { ids: { ...ids, shape: [0] }, rows: { ...rows, shape: [0, 513] } },
      frames: [new Uint8Array(0), new Uint8Array(0)],
      text: 'W is at most 512, got 513',
    },
  ])('names $name', ({ message, frames, text }) => {
    expect(tensorFault(message, frames, layout)).toContain(text);
  });
});

function isTensor(property: object): boolean {
  return JSON.stringify(property) === JSON.stringify(TensorSchema);
}
