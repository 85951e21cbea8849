import { expect, test } from 'vitest';
import { STEP_FLAGS, type Observed } from '../../../../protocol/simulator-messages.ts';
import { TensorFrames } from '../../../../protocol/tensor.ts';
import { readTick } from '../../../../server/simulators/tick-rows.ts';

/** Three rows, of which the first and the last have poses: one body and two, no contact and two. */
function tick(contactCounts: readonly number[], contacts: number): [Observed, readonly Uint8Array[]] {
  const tensors = new TensorFrames();
  const vector = (data: Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array) =>
    tensors.add(data, [data.length]);
  const message: Observed = {
    type: 'observed',
    tick: 1,
    environments: vector(Uint16Array.of(0, 1, 2)),
    episodes: vector(Uint32Array.of(1, 2, 3)),
    steps: vector(Uint32Array.of(4, 5, 6)),
    observations: tensors.add(new Float32Array(6), [3, 2]),
    rewards: vector(new Float64Array(3)),
    flags: vector(Uint8Array.of(STEP_FLAGS.poses, 0, STEP_FLAGS.poses)),
    executed: tensors.add(new Float32Array(3), [3, 1]),
    poses: tensors.add(
      Float32Array.from({ length: 21 }, (_, index) => index),
      [3, 7],
    ),
    poseCounts: vector(Uint16Array.of(1, 2)),
    contacts: tensors.add(
      Float32Array.from({ length: contacts * 11 }, (_, index) => index),
      [contacts, 11],
    ),
    contactCounts: vector(Uint16Array.from(contactCounts)),
    simulateMs: 0,
    waitMs: 0,
  };
  return [message, tensors.frames];
}

test('poses and contacts go to the rows that have them', () => {
  const rows = readTick(...tick([0, 2], 2));
  if (!rows.ok) throw new Error(rows.error);
  expect(rows.value.map(({ poses }) => poses?.length)).toEqual([7, undefined, 14]);
  expect(rows.value.map(({ contacts }) => contacts?.length)).toEqual([0, undefined, 22]);
  expect(rows.value[2]?.poses?.[0]).toBe(7);
});

test.each([
  [[0, 1], 2],
  [[2], 2],
  [[0, 1, 1], 2],
])('contacts %j of %i rows do not add up', (counts, contacts) => {
  expect(readTick(...tick(counts, contacts))).toEqual({ ok: false, error: 'its contacts do not add up' });
});
