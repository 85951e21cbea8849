import { availableParallelism } from 'node:os';
import type { ServerConfig } from '../config-schema.ts';

/**
 * Threads for the tensor backend when none are set: the cores that the simulators leave, at least one. While the policy
 * computes, half of the simulators usually wait for it, so a worker counts half.
 */
export function hostThreads(config: Pick<ServerConfig, 'threads' | 'workers'>): number {
  if (config.threads > 0) return config.threads;
  return Math.max(1, Math.ceil(availableParallelism() - config.workers / 2));
}
