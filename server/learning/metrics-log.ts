import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PretrainProgress } from './pretrain-events.ts';

/**
 * One JSON line a report. A resumed training first drops the rows of updates that were lost with its predecessor, so that every update
 * appears once.
 */
export interface MetricsLog {
  append(row: PretrainProgress): void;
}

/** @param keepUntil last update whose rows stay; 0 begins anew */
export function openMetricsLog(path: string, keepUntil: number): MetricsLog {
  mkdirSync(dirname(path), { recursive: true });
  const kept = keepUntil === 0 ? [] : readMetrics(path).filter((row) => row.update <= keepUntil);
  writeFileSync(path, kept.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return { append: (row) => appendFileSync(path, `${JSON.stringify(row)}\n`) };
}

/** All whole rows of a metrics file; a missing file has none. */
export function readMetrics(path: string): PretrainProgress[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  // What follows the last line feed was torn off by a killed process.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as PretrainProgress);
}
