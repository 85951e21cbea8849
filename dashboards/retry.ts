const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 8000;

/** Doubles from 0.25 s to 8 s; jitter keeps many pages from coming back in the same instant. @param random 0..1 */
export function retryDelayMs(attempt: number, random: number): number {
  const full = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
  return full * (0.5 + random / 2);
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
