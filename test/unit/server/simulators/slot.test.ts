import { describe, expect, it } from 'vitest';
import { FREE_SLOT, nextSlot, type Slot, type SlotEvent } from '../../../../server/simulators/slot.ts';

const follow = (events: readonly SlotEvent[], from: Slot = FREE_SLOT) =>
  events.reduce<{ slot: Slot; verdicts: string[] }>(
    ({ slot, verdicts }, event) => {
      const next = nextSlot(slot, event);
      return { slot: next.slot, verdicts: [...verdicts, next.verdict] };
    },
    { slot: from, verdicts: [] },
  );

const assigned = (episode: number): SlotEvent => ({ type: 'assigned', episode, nowMs: 10 });
const row = (episode: number, step: number, last = false): SlotEvent => ({ type: 'row', episode, step, last });
const acted = (episode: number): SlotEvent => ({ type: 'acted', episode, nowMs: 20 });

describe('the life of an environment slot', () => {
  it('goes from start to end of an episode and is free again', () => {
    const { slot, verdicts } = follow([assigned(7), row(7, 0), acted(7), row(7, 1), acted(7), row(7, 2, true)]);
    expect(verdicts).toEqual(Array(6).fill('accepted'));
    expect(slot).toEqual({ state: 'free' });
  });

  it('takes rows of an episode that is over as late and keeps its own', () => {
    const { slot, verdicts } = follow([
      assigned(7),
      { type: 'released', episode: 7 },
      row(7, 0),
      assigned(8),
      row(7, 1),
    ]);
    expect(verdicts).toEqual(['accepted', 'accepted', 'late', 'accepted', 'late']);
    expect(slot).toMatchObject({ state: 'starting', episode: 8 });
  });

  it('takes an action for a lost episode as late', () => {
    expect(nextSlot(FREE_SLOT, acted(7)).verdict).toBe('late');
    expect(follow([assigned(8), row(8, 0), acted(7)]).verdicts.at(-1)).toBe('late');
  });

  it.each([
    ['a second episode on a busy slot', [assigned(1), assigned(2)]],
    ['a row nobody asked for', [assigned(1), row(1, 0), row(1, 1)]],
    ['a skipped step', [assigned(1), row(1, 0), acted(1), row(1, 2)]],
    ['a repeated step', [assigned(1), row(1, 0), acted(1), row(1, 0)]],
    ['acting before the start was shown', [assigned(1), acted(1)]],
  ])('refuses %s', (_, events) => {
    expect(follow(events).verdicts.at(-1)).toBe('illegal');
  });

  it('is freed by a fault in any state', () => {
    for (const before of [[assigned(3)], [assigned(3), row(3, 0)], [assigned(3), row(3, 0), acted(3)]]) {
      expect(follow([...before, { type: 'faulted', episode: 3 }]).slot).toEqual(FREE_SLOT);
    }
  });
});
