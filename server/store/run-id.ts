import { randomInt } from 'node:crypto';
import type { RunKind } from './records.ts';

/** What a run may be called: it appears in addresses, file names and commands. */
export const RUN_ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$';

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';

/** `evaluate-20261123-184512-k3f9`: sorts by time, tells what it is, and two in one second differ. */
export function newRunId(kind: RunKind, now: Date): string {
  const [day = '', time = ''] = now.toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
  const tail = Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${kind}-${day}-${time}-${tail}`;
}
