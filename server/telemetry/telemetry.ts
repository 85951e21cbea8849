import type { LoadView } from '../../protocol/dashboard-views.ts';
import type { PageTraffic } from '../live/page-hub.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { RateWindow, TimingWindow, type WindowOptions } from './timing.ts';

/** One batch that was decided. */
export interface DecisionTiming {
  readonly batchSize: number;
  readonly decideMs: number;
  /** Longest wait of an observation in the batch until it was closed. */
  readonly queueMs: number;
}

/** One tick of a worker. */
export interface TickTiming {
  readonly simulateMs: number;
  /** On the wire and in queues of sockets, both ways. */
  readonly transportMs: number;
  /** From the previous observation of these environments to this one. */
  readonly totalMs: number;
  readonly steps: number;
}

/** Where the hot path reports what it measured: one call feeds the metrics and the figures on the page. */
export class Telemetry {
  readonly metrics: Metrics;
  readonly #simulate: TimingWindow;
  readonly #transport: TimingWindow;
  readonly #decide: TimingWindow;
  readonly #total: TimingWindow;
  readonly #batch: TimingWindow;
  readonly #queue: TimingWindow;
  readonly #steps: RateWindow;
  #queueDepth = 0;
  #viewers = 0;
  #traffic = { packedFrames: 0, sentFrames: 0, skippedFrames: 0 };

  constructor(metrics: Metrics = createMetrics(), window: Partial<WindowOptions> = {}) {
    this.metrics = metrics;
    this.#simulate = new TimingWindow(window);
    this.#transport = new TimingWindow(window);
    this.#decide = new TimingWindow(window);
    this.#total = new TimingWindow(window);
    this.#batch = new TimingWindow(window);
    this.#queue = new TimingWindow(window);
    this.#steps = new RateWindow(window);
  }

  decided(timing: DecisionTiming): void {
    this.#decide.add(timing.decideMs);
    this.#batch.add(timing.batchSize);
    this.#queue.add(timing.queueMs);
    this.metrics.decideSeconds.observe(timing.decideMs / 1000);
    this.metrics.batchSize.observe(timing.batchSize);
    this.metrics.queueSeconds.observe(timing.queueMs / 1000);
  }

  ticked(timing: TickTiming): void {
    this.#simulate.add(timing.simulateMs);
    this.#transport.add(timing.transportMs);
    this.#total.add(timing.totalMs);
    this.#steps.add(timing.steps);
    this.metrics.simulateSeconds.observe(timing.simulateMs / 1000);
    this.metrics.transportSeconds.observe(timing.transportMs / 1000);
    this.metrics.totalSeconds.observe(timing.totalMs / 1000);
    this.metrics.steps.inc(timing.steps);
  }

  queueDepth(depth: number): void {
    this.#queueDepth = depth;
    this.metrics.queueDepth.set(depth);
  }

  viewers(count: number): void {
    this.#viewers = count;
    this.metrics.viewers.set(count);
  }

  /** @param traffic of all pages; counts since the start */
  pages(traffic: PageTraffic): void {
    const { packedFrames, sentFrames, droppedFrames, pageBytes, slowestPageBytes } = this.metrics;
    packedFrames.inc(traffic.packedFrames - this.#traffic.packedFrames);
    sentFrames.inc(traffic.sentFrames - this.#traffic.sentFrames);
    droppedFrames.inc(traffic.skippedFrames - this.#traffic.skippedFrames);
    pageBytes.set(traffic.waitingBytes);
    slowestPageBytes.set(traffic.mostWaitingBytes);
    this.#traffic = traffic;
  }

  /** Medians over the last seconds, for the page. */
  load(): LoadView {
    return {
      stepsPerSecond: this.#steps.perSecond(),
      simulateMs: this.#simulate.median(),
      transportMs: this.#transport.median(),
      decideMs: this.#decide.median(),
      totalMs: this.#total.median(),
      batchSize: this.#batch.median(),
      queueDepth: this.#queueDepth,
      queueMs: this.#queue.median(),
      viewers: this.#viewers,
    };
  }
}
