import type { LoadView } from './dashboard-views.ts';

/** The load before anything has happened. */
export const IDLE_LOAD: LoadView = {
  stepsPerSecond: 0,
  simulateMs: 0,
  transportMs: 0,
  decideMs: 0,
  totalMs: 0,
  batchSize: 0,
  queueDepth: 0,
  queueMs: 0,
  viewers: 0,
};
