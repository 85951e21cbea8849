/**
 * The life of one environment slot of a worker, as a pure state machine.
 *
 *   free --assigned--> starting --row--> waiting --acted--> stepping --row--> waiting ... --last row--> free
 *
 * A row about another episode than the slot's own is late: it is dropped and counted, never acted on.
 */
export type Slot =
  | { readonly state: 'free' }
  | { readonly state: 'starting'; readonly episode: number; readonly sinceMs: number }
  | { readonly state: 'waiting'; readonly episode: number; readonly step: number }
  | { readonly state: 'stepping'; readonly episode: number; readonly step: number; readonly sinceMs: number };

export type SlotEvent =
  | { readonly type: 'assigned'; readonly episode: number; readonly nowMs: number }
  | { readonly type: 'row'; readonly episode: number; readonly step: number; readonly last: boolean }
  | { readonly type: 'acted'; readonly episode: number; readonly nowMs: number }
  | { readonly type: 'released'; readonly episode: number }
  | { readonly type: 'faulted'; readonly episode: number };

/** `late`: about an episode that is over; `illegal`: the peer broke the protocol and cannot be trusted with this slot. */
export type SlotVerdict = 'accepted' | 'late' | 'illegal';

export interface SlotTransition {
  readonly slot: Slot;
  readonly verdict: SlotVerdict;
}

export const FREE_SLOT: Slot = { state: 'free' };

export function nextSlot(slot: Slot, event: SlotEvent): SlotTransition {
  switch (event.type) {
    case 'assigned':
      if (slot.state !== 'free') return { slot, verdict: 'illegal' };
      return { slot: { state: 'starting', episode: event.episode, sinceMs: event.nowMs }, verdict: 'accepted' };
    case 'row':
      return afterRow(slot, event);
    case 'acted':
      if (slot.state === 'free' || slot.episode !== event.episode) return { slot, verdict: 'late' };
      if (slot.state !== 'waiting') return { slot, verdict: 'illegal' };
      return {
        slot: { state: 'stepping', episode: slot.episode, step: slot.step + 1, sinceMs: event.nowMs },
        verdict: 'accepted',
      };
    case 'released':
    case 'faulted':
      if (slot.state === 'free' || slot.episode !== event.episode) return { slot, verdict: 'late' };
      return { slot: FREE_SLOT, verdict: 'accepted' };
  }
}

function afterRow(slot: Slot, row: Extract<SlotEvent, { type: 'row' }>): SlotTransition {
  if (slot.state === 'free' || slot.episode !== row.episode) return { slot, verdict: 'late' };
  if (slot.state === 'waiting') return { slot, verdict: 'illegal' };
  const expectedStep = slot.state === 'starting' ? 0 : slot.step;
  if (row.step !== expectedStep) return { slot, verdict: 'illegal' };
  return {
    slot: row.last ? FREE_SLOT : { state: 'waiting', episode: row.episode, step: row.step },
    verdict: 'accepted',
  };
}
