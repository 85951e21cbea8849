import { openRowLog, readRows, type RowLog } from '../learning/row-log.ts';

/** One evaluation of the policy without chance. */
export interface CurvePoint {
  /** Simulator steps that the policy had learned from. */
  readonly steps: number;
  readonly updates: number;
  readonly meanReturn: number;
  /** (return - random) / (data mean - random), spec §6.5; null where the table has no usable row. */
  readonly normalizedScore: number | null;
  readonly episodes: number;
  /** Of learning, in this session. */
  readonly updatesPerSecond: number;
  readonly temperature: number;
  readonly criticLoss: number;
}

/** One row an evaluation. @param keepUntilSteps steps of the state that a training goes on from; 0 begins anew */
export function openCurve(path: string, keepUntilSteps: number): RowLog<CurvePoint> {
  return openRowLog<CurvePoint>(path, keepUntilSteps === 0 ? undefined : ({ steps }) => steps <= keepUntilSteps);
}

export function readCurve(path: string): CurvePoint[] {
  return readRows<CurvePoint>(path);
}
