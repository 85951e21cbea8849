import { readFile } from 'node:fs/promises';
import { areaWhileLearning, continualScores, type ContinualScores } from '../../agent/scoring/continual.ts';
import type { TrainerResult } from './continual-events.ts';
import type { ContinualSettings } from './continual-options.ts';
import { resultOf, type EvaluationRow } from './evaluation-rows.ts';
import { writeWhole, type RunFolder } from './run-folder.ts';

/** What a finished continual training comes to. */
export interface ContinualSummary {
  readonly anyTime: ContinualScores;
  readonly atEnd: ContinualScores;
  /** Mean of each task's value over its own stage, at any time; for forward transfer. */
  readonly areas: Readonly<Record<string, number>>;
  readonly trainableParameters: number;
  readonly trainingSeconds: number;
}

export async function writeSummary(
  folder: RunFolder,
  parts: {
    readonly settings: ContinualSettings;
    readonly rows: readonly EvaluationRow[];
    readonly trained: TrainerResult;
  },
): Promise<ContinualSummary> {
  const { settings, rows, trained } = parts;
  const anyTime = resultOf(rows, settings, 'any-time');
  const areas = [...new Set(settings.sequence)].flatMap((task) => {
    const area = areaWhileLearning(anyTime, task);
    return area === null ? [] : [[task, area] as const];
  });
  const summary: ContinualSummary = {
    anyTime: continualScores(anyTime),
    atEnd: continualScores(resultOf(rows, settings, 'at-end')),
    areas: Object.fromEntries(areas),
    trainableParameters: trained.parameterCount,
    trainingSeconds: trained.elapsedSeconds,
  };
  await writeWhole(folder.summary, `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

/** The summary of a finished run; undefined if it is not finished. */
export async function readSummary(folder: RunFolder): Promise<ContinualSummary | undefined> {
  const text = await readFile(folder.summary, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ContinualSummary);
}
