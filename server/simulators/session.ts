import type { Hello } from '../../protocol/simulator-messages.ts';
import { versionAccepted } from '../../protocol/version.ts';
import { FREE_SLOT, nextSlot, type Slot, type SlotEvent, type SlotVerdict } from './slot.ts';

/**
 * One worker's connection as a pure state machine: what it may say now, which of its environments are busy, and when it
 * counts as lost. Sockets, timers and processes are elsewhere (`gateway.ts`, `supervisor.ts`).
 */
export type Session =
  | { readonly state: 'connecting'; readonly sinceMs: number }
  | {
      readonly state: 'ready';
      readonly workerId: string;
      readonly processId: number;
      readonly tasks: ReadonlySet<string>;
      readonly versions: Readonly<Record<string, string>>;
      readonly slots: readonly Slot[];
      readonly heardMs: number;
    }
  | { readonly state: 'gone'; readonly workerId: string; readonly reason: string };

export type ReadySession = Extract<Session, { state: 'ready' }>;

export interface SessionDeadlines {
  /** Longest a worker may be silent. It sends heartbeats from its own loop. */
  readonly livenessMs: number;
  /** Longest one step may take. */
  readonly stepMs: number;
  /** Longest the construction and reset of an environment may take. */
  readonly startMs: number;
}

export type HelloOutcome =
  | { readonly accepted: true; readonly session: ReadySession }
  | { readonly accepted: false; readonly theirVersion: string };

/** A hello always makes a fresh session: what the peer did before, under whatever identity, is void. */
export function afterHello(hello: Hello, nowMs: number): HelloOutcome {
  if (!versionAccepted(hello.protocol)) {
    return { accepted: false, theirVersion: `${hello.protocol.major}.${hello.protocol.minor}` };
  }
  return {
    accepted: true,
    session: {
      state: 'ready',
      workerId: hello.workerId,
      processId: hello.processId,
      tasks: new Set(hello.tasks),
      versions: hello.versions,
      slots: Array.from({ length: hello.environments }, () => FREE_SLOT),
      heardMs: nowMs,
    },
  };
}

export function afterSlotEvent(
  session: ReadySession,
  environment: number,
  event: SlotEvent,
): { readonly session: ReadySession; readonly verdict: SlotVerdict } {
  const slot = session.slots[environment];
  if (slot === undefined) return { session, verdict: 'illegal' };
  const transition = nextSlot(slot, event);
  if (transition.slot === slot) return { session, verdict: transition.verdict };
  return {
    session: { ...session, slots: session.slots.with(environment, transition.slot) },
    verdict: transition.verdict,
  };
}

export function afterHearing(session: ReadySession, nowMs: number): ReadySession {
  return { ...session, heardMs: nowMs };
}

/** Why the worker must be given up now, or undefined while all deadlines hold. */
export function overdue(session: ReadySession, nowMs: number, deadlines: SessionDeadlines): string | undefined {
  for (const [environment, slot] of session.slots.entries()) {
    if (slot.state === 'stepping' && nowMs - slot.sinceMs > deadlines.stepMs) {
      return `environment ${environment} took longer than ${deadlines.stepMs} ms for step ${slot.step}`;
    }
    if (slot.state === 'starting' && nowMs - slot.sinceMs > deadlines.startMs) {
      return `environment ${environment} took longer than ${deadlines.startMs} ms to start`;
    }
  }
  const silentMs = nowMs - session.heardMs;
  return silentMs > deadlines.livenessMs ? `silent for ${Math.round(silentMs)} ms` : undefined;
}
