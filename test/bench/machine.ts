import { availableParallelism, cpus, totalmem } from 'node:os';

/** `AMD EPYC, 2 cores, 24 GiB, Node v20.20.2`. */
export function describeMachine(): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${memory} GiB, Node ${process.version}`;
}
