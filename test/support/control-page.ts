import { once } from 'node:events';
import type { ControlRequest, ControlUpdated, HandledEnvironment } from '../../protocol/control-messages.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { LiveServer } from '../../server/build-server.ts';
import { until } from './live-server.ts';
import { TestPage } from './test-page.ts';

/** A page that wants to control, as far as the wire goes. */
export class ControlPage {
  readonly page: TestPage;

  private constructor(page: TestPage) {
    this.page = page;
  }

  static async open(server: Pick<LiveServer, 'url'>, token?: string): Promise<ControlPage> {
    const page = new TestPage(`${(server.url ?? '').replace('http', 'ws').replace(/\/$/, '')}/live`);
    await once(page.socket, 'open');
    page.send({ type: 'hello', protocol: PROTOCOL_VERSION, ...(token === undefined ? {} : { token }) });
    page.send({ type: 'subscribe', framesHz: 30 });
    await until('the first word on control', () => page.count('control-updated') > 0);
    return new ControlPage(page);
  }

  send(request: ControlRequest): void {
    this.page.send(request);
  }

  seat(action: 'request' | 'release' | 'grant' | 'steal'): void {
    this.send({ type: 'control-seat', action });
  }

  async sit(): Promise<void> {
    this.seat('request');
    await until('the seat', () => this.control().seat === 'mine');
  }

  command(key: string, kind: 'pause' | 'resume' | 'step' | 'reset'): void {
    this.send({ type: 'control-simulation', target: { kind: 'environment', key }, command: { kind } });
  }

  speed(key: string, speed: number | null): void {
    this.send({ type: 'control-simulation', target: { kind: 'environment', key }, command: { kind: 'speed', speed } });
  }

  control(): ControlUpdated {
    return this.page.last('control-updated');
  }

  handled(key: string): HandledEnvironment | undefined {
    return this.control().environments.find((each) => each.key === key);
  }

  /** The last warning that was for this page. */
  warning(): string {
    const notice = this.page.events.findLast((event) => event.type === 'notice' && event.level === 'warning');
    return notice?.type === 'notice' ? notice.text : '';
  }

  /** Step of an environment's present episode as the last picture shows it; -1 if it is not in it. */
  episodeOf(key: string): number {
    const started = this.page.events.findLast(
      (each) => each.type === 'episode-started' && each.environment.key === key,
    );
    return started?.type === 'episode-started' ? started.environment.episode : -1;
  }
}
