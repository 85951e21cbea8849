import { WebSocket } from 'ws';
import { decodePageEvent, encodeMessage, packFrames, unpackFrames } from '../../protocol/codec.ts';
import type { PageEvent, PageRequest } from '../../protocol/dashboard-messages.ts';

/** A page as far as the wire goes. It acknowledges frames only while `acknowledges`. */
export class TestPage {
  readonly events: PageEvent[] = [];
  readonly socket: WebSocket;
  acknowledges = true;
  closeCode: number | null = null;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (data) => {
      const frames = unpackFrames(new Uint8Array(data as Buffer));
      const decoded = frames.ok ? decodePageEvent(frames.value) : frames;
      if (!decoded.ok) throw new Error(decoded.error.message);
      const event = decoded.value.message;
      this.events.push(event);
      if (event.type === 'frames' && this.acknowledges) {
        this.send({ type: 'acknowledge', frame: event.frame, visible: true });
      }
    });
    this.socket.on('close', (code) => (this.closeCode = code));
    this.socket.on('error', () => undefined);
  }

  send(request: PageRequest): void {
    this.socket.send(packFrames(encodeMessage(request)));
  }

  count(type: PageEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  last<Type extends PageEvent['type']>(type: Type): Extract<PageEvent, { type: Type }> {
    const event = this.events.findLast((each) => each.type === type);
    if (event === undefined) throw new Error(`no ${type}`);
    return event as Extract<PageEvent, { type: Type }>;
  }
}
