import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { returnScale } from '../../agent/scoring/normalized-score.ts';
import type { TaskId } from '../../protocol/task.ts';
import { readExpert } from './expert-file.ts';
import { expertPath, SHIPPED_EXPERTS } from './find-expert.ts';
import { readCurve, type CurvePoint } from './learning-curve.ts';

/** How far one training of an expert has come, or what a shipped expert says of its own. */
export interface ExpertRow {
  readonly task: TaskId;
  /** Name of the training; null for an expert that came with the program. */
  readonly source: string | null;
  /** Simulator steps learned from so far; of a shipped expert those after which it was the best. */
  readonly steps: number;
  readonly evaluations: number;
  /** The best return of an evaluation, and after how many steps; null before the first. */
  readonly best: { readonly meanReturn: number; readonly steps: number } | null;
  /** Mean return of the reference's data set (spec §6.5); null where the table has no usable row. */
  readonly dataMean: number | null;
  /** Best return by data mean. */
  readonly share: number | null;
  /** Steps of the first evaluation that reached the data mean; null where none did, or where the curve is not kept. */
  readonly reachedAt: number | null;
}

const DOMAINS = ['metaworld', 'dmcontrol'] as const;

/** Every training below `<data>/experts`, and every shipped expert, by task; damaged files are passed over. */
export async function listExperts(data: string, shipped = SHIPPED_EXPERTS): Promise<ExpertRow[]> {
  const rows = [...(await trainings(join(data, 'experts'))), ...(await shippedRows(shipped))];
  return rows.sort((a, b) => a.task.localeCompare(b.task) || (a.source ?? '').localeCompare(b.source ?? ''));
}

async function trainings(root: string): Promise<ExpertRow[]> {
  const rows: ExpertRow[] = [];
  for (const domain of DOMAINS) {
    for (const name of await names(join(root, domain))) {
      for (const source of await names(join(root, domain, name))) {
        const folder = join(root, domain, name, source);
        const path = join(folder, 'curve.jsonl');
        if (existsSync(path)) rows.push(await trainingRow(`${domain}/${name}`, source, folder));
      }
    }
  }
  return rows;
}

async function trainingRow(task: TaskId, source: string, folder: string): Promise<ExpertRow> {
  const curve = readCurve(join(folder, 'curve.jsonl')).sort((a, b) => a.steps - b.steps);
  const kept = await readExpert(expertPath(folder)).catch(() => undefined);
  // A curve that was cut off, by going on from an older state, may have lost the point of the expert that is kept.
  const best = [...curve, ...(kept === undefined ? [] : [kept.about])].reduce<Scored | undefined>(
    (most, point) => (most === undefined || point.meanReturn > most.meanReturn ? point : most),
    undefined,
  );
  return rowOf({ task, source, best, curve, steps: curve.at(-1)?.steps ?? kept?.about.steps ?? 0 });
}

async function shippedRows(folder: string): Promise<ExpertRow[]> {
  const rows: ExpertRow[] = [];
  for (const domain of DOMAINS) {
    for (const file of (await names(join(folder, domain))).filter((name) => name.endsWith('.safetensors'))) {
      const expert = await readExpert(join(folder, domain, file)).catch(() => undefined);
      if (expert === undefined) continue;
      const { task, steps } = expert.about;
      rows.push({ ...rowOf({ task, source: null, best: expert.about, curve: [], steps }), evaluations: 1 });
    }
  }
  return rows;
}

type Scored = Pick<CurvePoint, 'meanReturn' | 'steps'>;

function rowOf(parts: {
  readonly task: TaskId;
  readonly source: string | null;
  readonly steps: number;
  readonly best: Scored | undefined;
  readonly curve: readonly CurvePoint[];
}): ExpertRow {
  const { task, source, steps, best, curve } = parts;
  const dataMean = returnScale(task)?.one ?? null;
  return {
    ...{ task, source, steps, evaluations: curve.length, dataMean },
    best: best === undefined ? null : { meanReturn: best.meanReturn, steps: best.steps },
    share: best === undefined || dataMean === null || dataMean === 0 ? null : best.meanReturn / dataMean,
    reachedAt: dataMean === null ? null : (curve.find(({ meanReturn }) => meanReturn >= dataMean)?.steps ?? null),
  };
}

async function names(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}
