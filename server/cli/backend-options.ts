import type { ServerConfig } from '../config-schema.ts';
import type { BackendOptions } from '../tensors/backend.ts';

/** The settings that a trainer's process starts its tensor library with; 0 threads leave the number to it. */
export function backendOptionsOf({
  backend,
  threads,
  precision,
}: Pick<ServerConfig, 'backend' | 'threads' | 'precision'>): BackendOptions {
  return { backend, precision, ...(threads > 0 ? { threadCount: threads } : {}) };
}
