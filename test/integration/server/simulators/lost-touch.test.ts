import { Dealer } from 'zeromq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeMessage } from '../../../../protocol/codec.ts';
import type { WorkerMessage } from '../../../../protocol/simulator-messages.ts';
import { PROTOCOL_VERSION } from '../../../../protocol/version.ts';
import { WorkerHub } from '../../../../server/simulators/worker-hub.ts';
import { until } from '../../../support/live-server.ts';

const WORKER = 'worker-0';
let hub: WorkerHub;
let welcomed = 0;
let companion: Dealer;
const reasons: string[] = [];
const sockets: Dealer[] = [];

/** A worker that says hello and nothing more. */
async function worker(workerId = WORKER): Promise<Dealer> {
  const socket = new Dealer({ routingId: workerId, linger: 0 });
  sockets.push(socket);
  socket.connect(hub.endpoint);
  const hello = {
    ...{ type: 'hello', engine: 'python', protocol: { ...PROTOCOL_VERSION }, workerId, processId: 4242 },
    ...{ versions: {}, environments: 1, tasks: ['metaworld/reach-v3'] },
  } satisfies WorkerMessage;
  const before = welcomed;
  await socket.send(encodeMessage(hello).map((frame) => Buffer.from(frame)));
  await until('the worker', () => welcomed > before);
  return socket;
}

/**
 * Talks to the worker, so that the hub notices when there is nobody, while another one goes on: a message to a peer that is just leaving may wait
 * in ZeroMQ until something else arrives.
 */
async function talk(milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    await companion.send(encodeMessage({ type: 'heartbeat', tick: 0 }).map((frame) => Buffer.from(frame)));
    hub.tell(WORKER, { type: 'describe', task: 'metaworld/reach-v3' });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

beforeEach(async () => {
  reasons.length = 0;
  welcomed = 0;
  const ignore = () => undefined;
  hub = await WorkerHub.open(
    {
      ...{ rows: ignore, fault: ignore, described: ignore, scene: ignore, late: ignore },
      ready: () => (welcomed += 1),
      lost: (worker, reason) => reasons.push(`${worker}: ${reason}`),
    },
    {
      ...{ endpoint: 'tcp://127.0.0.1:*', curve: undefined, serverId: 'test' },
      deadlines: { livenessMs: 60_000, stepMs: 60_000, startMs: 60_000 },
    },
  );
  companion = await worker('worker-1');
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await hub.close('the test is over');
});

describe('a worker whose socket is gone', () => {
  it('is lost for the reason that whoever has its process gives a moment later', async () => {
    (await worker()).close();
    await talk(200);
    expect(reasons).toEqual([]);
    hub.giveUp(WORKER, 'its process ended: signal SIGKILL');
    await talk(800);
    expect(reasons).toEqual([`${WORKER}: its process ended: signal SIGKILL`]);
  });

  it('is lost for not being reached where nobody knows more', async () => {
    (await worker()).close();
    const end = performance.now() + 20_000;
    while (reasons.length === 0 && performance.now() < end) await talk(100);
    expect(reasons).toEqual([`${WORKER}: cannot be reached`]);
    expect(hub.sessions().has(WORKER)).toBe(false);
  });

  it('is another one if it says hello again in time, and that one is kept', async () => {
    (await worker()).close();
    await talk(200);
    await worker();
    await talk(800);
    expect(reasons).toEqual([`${WORKER}: said hello again`]);
    expect(hub.sessions().has(WORKER)).toBe(true);
  });
});
