import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

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

/** One JSON line an evaluation. A resumed training first drops what came after its state. */
export function openCurve(path: string, keepUntilSteps: number): { append(point: CurvePoint): void } {
  mkdirSync(dirname(path), { recursive: true });
  const kept = readCurve(path).filter(({ steps }) => steps <= keepUntilSteps && keepUntilSteps > 0);
  writeFileSync(path, kept.map((point) => `${JSON.stringify(point)}\n`).join(''));
  return { append: (point) => appendFileSync(path, `${JSON.stringify(point)}\n`) };
}

/** All whole rows; a missing file has none. */
export function readCurve(path: string): CurvePoint[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as CurvePoint);
}
