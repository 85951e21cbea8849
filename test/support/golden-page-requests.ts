import type { PageRequest } from '../../protocol/dashboard-messages.ts';
import { CONTROL_REQUESTS } from './golden-control.ts';
import type { GoldenMessage } from './golden-message.ts';

/** What pages ask. */
export function pageRequests(): GoldenMessage[] {
  return [
    request('page-request-hello', { type: 'hello', protocol: { major: 1, minor: 0 }, token: 'secret' }),
    request('page-request-hello-local', { type: 'hello', protocol: { major: 1, minor: 0 } }),
    request('page-request-acknowledge', { type: 'acknowledge', frame: 77, visible: true }),
    request('page-request-watch-policy', {
      type: 'watch-policy',
      key: 'worker-0:3',
      attention: { block: 2, head: 0 },
    }),
    request('page-request-watch-nothing', { type: 'watch-policy', key: null, attention: null }),
    request('page-request-acknowledge-policy', { type: 'acknowledge-policy', number: 9 }),
    request('page-request-subscribe', { type: 'subscribe', framesHz: 15 }),
    request('page-request-echo', { type: 'echo', stamp: 12345.5 }),
    request('page-request-control', { type: 'control', run: 'run-20250101-1', action: 'pause' }),
    ...Object.entries(CONTROL_REQUESTS).map(([name, message]) => request(`page-request-${name}`, message)),
  ];
}

function request(name: string, message: PageRequest): GoldenMessage {
  return { name, direction: 'pageRequest', message, frames: [] };
}
