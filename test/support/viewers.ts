/**
 * Pages without a screen, many in one process, told by lines of JSON what to do. They take what comes and acknowledge pictures as a
 * page does; stalled ones either stop reading or never acknowledge. Of low priority: on a person's desk they would be other machines.
 *
 * `node --import tsx test/support/viewers.ts ws://…/live` answers each line with one: `{"open": 50, "stalled": 10}`, `{"report": true}`,
 * `{"close": true}`.
 */
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { Unpackr } from 'msgpackr';
import { WebSocket } from 'ws';
import { encodeMessage, packFrames, unpackFrames } from '../../protocol/codec.ts';
import type { PageRequest } from '../../protocol/dashboard-messages.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';

type Manner = 'attentive' | 'deaf' | 'silent';

interface Viewer {
  readonly manner: Manner;
  readonly socket: WebSocket;
  seeded: boolean;
  pictures: number;
  events: number;
  /** Events that were numbered below one that came before. */
  disordered: number;
  lastSequence: number;
  closeCode: number | null;
}

export interface ViewersReport {
  readonly open: number;
  readonly closed: number;
  readonly pictures: number;
  readonly events: number;
  readonly disordered: number;
}

const FRAMES_HZ = 30;
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });
const url = process.argv[2] ?? '';
let viewers: Viewer[] = [];

function send(viewer: Viewer, request: PageRequest): void {
  if (viewer.socket.readyState === WebSocket.OPEN) viewer.socket.send(packFrames(encodeMessage(request)));
}

async function open(manner: Manner): Promise<Viewer> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const viewer: Viewer = {
    ...{ manner, socket, seeded: false, pictures: 0, events: 0, disordered: 0, lastSequence: -1 },
    closeCode: null,
  };
  socket.on('message', (data) => received(viewer, data as Buffer));
  socket.on('error', () => undefined);
  socket.on('close', (code) => (viewer.closeCode = code));
  await once(socket, 'open');
  send(viewer, { type: 'hello', protocol: PROTOCOL_VERSION });
  send(viewer, { type: 'subscribe', framesHz: FRAMES_HZ });
  return viewer;
}

/** The header is read, tensors are left alone: what a page does with them is its own cost. */
function received(viewer: Viewer, data: Buffer): void {
  const frames = unpackFrames(new Uint8Array(data));
  const [header] = frames.ok ? frames.value : [];
  if (header === undefined) return;
  const message = unpackr.unpack(header) as { type: string; frame?: number; sequence?: number };
  if (message.type === 'frames') {
    viewer.pictures++;
    if (viewer.manner !== 'silent') send(viewer, { type: 'acknowledge', frame: message.frame ?? 0, visible: true });
    return;
  }
  if (message.type === 'snapshot') {
    viewer.seeded = true;
    if (viewer.manner === 'deaf') viewer.socket.pause();
  } else if (message.sequence !== undefined && viewer.seeded) {
    // The recent past, told after the snapshot, is older than it.
    if (message.sequence < viewer.lastSequence) viewer.disordered++;
    viewer.lastSequence = message.sequence;
    viewer.events++;
  }
}

function reportOf(manners: readonly Manner[]): ViewersReport {
  const counted = viewers.filter(({ manner }) => manners.includes(manner));
  const sum = (count: (viewer: Viewer) => number) => counted.reduce((total, viewer) => total + count(viewer), 0);
  return {
    open: sum(({ closeCode }) => (closeCode === null ? 1 : 0)),
    closed: sum(({ closeCode }) => (closeCode === null ? 0 : 1)),
    pictures: sum(({ pictures }) => pictures),
    events: sum(({ events }) => events),
    disordered: sum(({ disordered }) => disordered),
  };
}

async function answer(line: string): Promise<object> {
  const request = JSON.parse(line) as { open?: number; stalled?: number; close?: true };
  if (request.open !== undefined) {
    const stalled = request.stalled ?? 0;
    const manners = Array.from({ length: request.open }, (_, index): Manner => {
      if (index >= stalled) return 'attentive';
      return index % 2 === 0 ? 'deaf' : 'silent';
    });
    viewers = await Promise.all(manners.map(open));
    while (!viewers.every(({ seeded }) => seeded)) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (request.close === true) {
    for (const { socket } of viewers) socket.terminate();
    viewers = [];
  }
  return { attentive: reportOf(['attentive']), stalled: reportOf(['deaf', 'silent']) };
}

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
process.stdout.write(`${JSON.stringify({ library: 'ws' })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
for (const { socket } of viewers) socket.terminate();
