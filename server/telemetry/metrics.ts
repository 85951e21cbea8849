import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From 0.1 ms (a fast simulator step) to 10 s (a large model on WebAssembly). */
const STEP_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export interface Metrics {
  readonly registry: Registry;
  readonly simulateSeconds: Histogram;
  readonly transportSeconds: Histogram;
  readonly decideSeconds: Histogram;
  readonly totalSeconds: Histogram;
  readonly queueSeconds: Histogram;
  readonly batchSize: Histogram;
  readonly queueDepth: Gauge;
  readonly steps: Counter;
  readonly episodes: Counter<'outcome'>;
  readonly episodesRedone: Counter;
  readonly workerRestarts: Counter;
  readonly agentRestarts: Counter;
  readonly lateMessages: Counter;
  readonly refusedMessages: Counter<'code'>;
  readonly viewers: Gauge;
  readonly packedFrames: Counter;
  readonly sentFrames: Counter;
  readonly droppedFrames: Counter;
  readonly pageBytes: Gauge;
  readonly slowestPageBytes: Gauge;
  readonly commitSeconds: Histogram;
}

/**
 * All figures of one server, in a registry of its own so that several servers can live in one process.
 * `processFigures` adds memory, garbage collection and the lag of the event loop.
 */
export function createMetrics(options: { readonly processFigures?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processFigures === true) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const seconds = (name: string, help: string): Histogram =>
    new Histogram({ name: `l2m_${name}_seconds`, help, buckets: STEP_SECONDS, registers });
  const counter = (name: string, help: string): Counter => new Counter({ name: `l2m_${name}_total`, help, registers });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `l2m_${name}`, help, registers });
  return {
    registry,
    simulateSeconds: seconds('simulate', 'Time a worker spent simulating one tick'),
    transportSeconds: seconds('transport', 'Time between worker and server, both ways, for one tick'),
    decideSeconds: seconds('decide', 'Time of the policy for one batch'),
    totalSeconds: seconds('step_total', 'Time from one observation of an environment to its next'),
    queueSeconds: seconds('queue_wait', 'Time an observation waited for its batch to close'),
    batchSize: new Histogram({
      name: 'l2m_batch_size',
      help: 'Decisions in one batch',
      buckets: BATCH_SIZES,
      registers,
    }),
    queueDepth: gauge('queue_depth', 'Observations waiting for a decision'),
    steps: counter('steps', 'Environment steps taken'),
    episodes: new Counter({
      name: 'l2m_episodes_total',
      help: 'Episodes ended, by outcome',
      labelNames: ['outcome'] as const,
      registers,
    }),
    episodesRedone: counter('episodes_redone', 'Episodes started again because a process was lost'),
    workerRestarts: counter('worker_restarts', 'Simulator workers replaced'),
    agentRestarts: counter('agent_restarts', 'Restarts of the agent host'),
    lateMessages: counter('late_messages', 'Messages about episodes that are over, dropped'),
    refusedMessages: new Counter({
      name: 'l2m_refused_messages_total',
      help: 'Messages refused, by error code',
      labelNames: ['code'] as const,
      registers,
    }),
    viewers: gauge('viewers', 'Pages connected'),
    packedFrames: counter('packed_frames', 'Live pictures made; one serves all pages'),
    sentFrames: counter('sent_frames', 'Live pictures sent, over all pages'),
    pageBytes: gauge('page_waiting_bytes', 'Bytes held for pages that have not taken them yet'),
    slowestPageBytes: gauge('slowest_page_waiting_bytes', 'The same for the page that is furthest behind'),
    droppedFrames: counter('dropped_frames', 'Live pictures not sent because a page was still busy with the last'),
    commitSeconds: seconds('store_commit', 'Time until finished episodes were durable'),
  };
}
