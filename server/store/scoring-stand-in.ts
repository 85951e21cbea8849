import type { TaskId } from '../../protocol/task.ts';

export function wilsonInterval(successes: number, episodes: number): { low: number; high: number } {
  const z = 1.959963984540054;
  const p = successes / episodes;
  const d = 1 + (z * z) / episodes;
  const c = p + (z * z) / (2 * episodes);
  const h = z * Math.sqrt((p * (1 - p)) / episodes + (z * z) / (4 * episodes * episodes));
  return { low: Math.max(0, (c - h) / d), high: Math.min(1, (c + h) / d) };
}

export function normalizedScore(_task: TaskId, _value: number): number | null {
  return null;
}
