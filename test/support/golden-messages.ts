import type { GoldenMessage } from './golden-message.ts';
import { pageEvents } from './golden-page-events.ts';
import { pageRequests } from './golden-page-requests.ts';
import { serverMessages } from './golden-server-messages.ts';
import { workerMessages } from './golden-worker-messages.ts';

/** At least one valid message of every type, with the corners that codecs get wrong: other scripts, extremes, empty tensors. */
export function goldenMessages(): GoldenMessage[] {
  return [...workerMessages(), ...serverMessages(), ...pageEvents(), ...pageRequests()];
}
