const FIRST_RETRY_MS = 250;
const GROWTH = 1.6;
/** A server that is being restarted comes back within a minute; until then no page waits longer than this: two seconds, less what connecting takes. */
const LONGEST_SOON_MS = 1000;
const SOON_ATTEMPTS = 40;
const LONGEST_MS = 8000;

/** How long to wait before attempt number `attempt`; jitter keeps many pages from coming back at once. @param random 0..1 */
export function retryDelayMs(attempt: number, random: number): number {
  const longest = attempt < SOON_ATTEMPTS ? LONGEST_SOON_MS : LONGEST_MS;
  return Math.min(longest, FIRST_RETRY_MS * GROWTH ** attempt) * (0.5 + random / 2);
}

/** Why a connection was lost, in words for a person. */
export function lossReason(closeCode: number): string {
  switch (closeCode) {
    case 1001:
      return 'the server was stopped';
    case 4002:
      return 'the server already serves as many pages as it may';
    case 4008:
      return 'this page fell too far behind';
    default:
      return 'the server does not answer';
  }
}
