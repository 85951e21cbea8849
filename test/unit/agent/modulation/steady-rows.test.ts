import { beforeAll, describe, expect, test } from 'vitest';
import { RowVote } from '../../../../agent/modulation/row-vote.ts';
import { steadyRows } from '../../../../agent/modulation/steady-rows.ts';
import { tensor, type Tensor } from '../../../../agent/ops.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';

/** Three windows: what their best keys point to, and how near those are. */
const rows = () => tensor([3, 1, 2], [3], 'int32');
const similarity = () => tensor([0.9, 0.2, 0.5], [3]);
const heldRows = () => tensor([-1, 4, 2], [3], 'int32');

function decided(settings: Parameters<typeof steadyRows>[1], held?: Tensor) {
  const { asked, used } = steadyRows({ rows: rows(), similarity: similarity(), heldRows: held }, settings);
  return { asked: [...asked.dataSync()], used: [...used.dataSync()] };
}

describe.each(TEST_BACKENDS)('rows that decide, on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  test('are those of the best keys where nothing else is asked for, and the very same tensor', () => {
    const own = rows();
    const { asked, used } = steadyRows({ rows: own, similarity: similarity() }, {});
    expect(asked).toBe(own);
    expect(used).toBe(own);
  });

  test('are the identity for windows that no key is near to', () => {
    expect(decided({ unknownBelow: 0.5 })).toEqual({ asked: [3, 0, 0], used: [3, 0, 0] });
    expect(decided({ unknownBelow: -0.5 })).toEqual({ asked: [3, 1, 2], used: [3, 1, 2] });
  });

  test('are those that earlier steps settled on, while every window still votes for its own', () => {
    expect(decided({ voteSteps: 5 }, heldRows())).toEqual({ asked: [3, 1, 2], used: [3, 4, 2] });
    expect(decided({ voteSteps: 5, unknownBelow: 0.3 }, heldRows())).toEqual({ asked: [3, 0, 2], used: [3, 4, 2] });
    expect(() => decided({ voteSteps: 5 })).toThrow('heldRows');
  });
});

describe('a vote over the last steps', () => {
  test('holds nothing before the first step, then the row with most votes, of equal ones the newest', () => {
    const vote = new RowVote(4);
    expect(vote.held).toBe(-1);
    const held = [2, 1, 2, 1, 1, 1, 5].map((row) => {
      vote.add(row);
      return vote.held;
    });
    expect(held).toEqual([2, 1, 2, 1, 1, 1, 1]);
  });

  test('forgets what is older than its memory, and what was no row', () => {
    const vote = new RowVote(2);
    for (const row of [7, 7, 3, -1, 3]) vote.add(row);
    expect(vote.held).toBe(3);
  });
});
