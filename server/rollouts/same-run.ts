import { L2mError } from '../errors.ts';
import type { StoredRun } from '../store/records.ts';
import type { RunRequest } from './run-request.ts';

/**
 * Refuses to go on with a run that was started otherwise: its score would mix two settings.
 * @throws L2mError L2M_RUN_MISMATCH with everything that differs
 */
export function assertSameRun(stored: StoredRun, request: RunRequest, checkpointHash: string | null): void {
  const differing = Object.entries(request)
    .filter(([key, value]) => JSON.stringify(stored.configuration[key]) !== JSON.stringify(value))
    .map(([key, value]) => `${key} was ${JSON.stringify(stored.configuration[key])}, is now ${JSON.stringify(value)}`);
  if (stored.checkpointHash !== checkpointHash) differing.push('the checkpoint has other weights');
  if (differing.length > 0) throw new L2mError('L2M_RUN_MISMATCH', `${stored.run}: ${differing.join('; ')}`);
}
