import type { PretrainProgress } from './pretrain-events.ts';
import { openRowLog, readRows, type RowLog } from './row-log.ts';

/** One row a report. @param keepUntil last update whose rows stay; 0 begins anew */
export function openMetricsLog(path: string, keepUntil: number): RowLog<PretrainProgress> {
  return openRowLog<PretrainProgress>(path, keepUntil === 0 ? undefined : (row) => row.update <= keepUntil);
}

export function readMetrics(path: string): PretrainProgress[] {
  return readRows<PretrainProgress>(path);
}
