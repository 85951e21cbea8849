/**
 * `npm run bench -- continual [--add FOLDER --as NAME]`: keeps what a finished continual training measured in `test/bench/continual`, as JSON and
 * as a picture, and prints the tables of `continual.md` from all that is kept there.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { successRate } from '../../agent/scoring/success.ts';
import { domainOf, taskName } from '../../protocol/task.ts';
import { timetableOf, type ContinualSettings } from '../../server/continual/continual-options.ts';
import { evaluatedTasks, matrixOf, wholeRows, type EvaluationRow } from '../../server/continual/evaluation-rows.ts';
import { matrixPicture } from '../../server/continual/matrix-picture.ts';
import { RunFolder } from '../../server/continual/run-folder.ts';
import { readSummary, type ContinualSummary } from '../../server/continual/summary.ts';
import { totalUpdates } from '../../server/continual/timetable.ts';

/** One finished training, as it is kept. */
interface KeptRun {
  readonly name: string;
  readonly command: string;
  readonly settings: ContinualSettings;
  readonly summary: ContinualSummary;
  readonly rows: readonly EvaluationRow[];
}

const KEPT = fileURLToPath(new URL('./continual', import.meta.url));

const { values } = parseArgs({ options: { add: { type: 'string' }, as: { type: 'string' } } });
if (values.add !== undefined) await keep(new RunFolder(values.add), values.as);
process.stdout.write(tables(keptRuns()));

async function keep(folder: RunFolder, name = folder.name): Promise<void> {
  const run = await folder.read();
  const summary = await readSummary(folder);
  if (run === undefined || summary === undefined) throw new Error(`${folder.path} is no finished continual training`);
  const { command, settings } = run;
  const rows = wholeRows(folder.evaluations, settings);
  mkdirSync(KEPT, { recursive: true });
  const kept: KeptRun = { name, command: withoutPlaces(command), settings, summary, rows: rows.map(withoutCounts) };
  writeFileSync(join(KEPT, `${name}.json`), `${JSON.stringify(kept)}\n`);
  writeFileSync(join(KEPT, `${name}.svg`), matrixPicture(matrixOf({ name, settings, state: 'finished' }, rows)));
}

/** Where things lay and how many threads there were decides nothing. */
function withoutPlaces(command: string): string {
  return command.replaceAll(/ --(?:data|port|threads|json|picture|trajectories) \S+/g, '').replaceAll(' --resume', '');
}

function withoutCounts({ keys: _keys, ...row }: EvaluationRow): EvaluationRow {
  return { ...row, modulators: {} };
}

function keptRuns(): KeptRun[] {
  const names = readdirSync(KEPT).filter((name) => name.endsWith('.json'));
  const runs = names.map((name) => JSON.parse(readFileSync(join(KEPT, name), 'utf8')) as KeptRun);
  return runs.sort((a, b) => (b.summary.anyTime.averagePerformance ?? 0) - (a.summary.anyTime.averagePerformance ?? 0));
}

/** One table of scores and one of tasks for every sequence and budget. */
function tables(runs: readonly KeptRun[]): string {
  const titles = [...new Set(runs.map(titleOf))].sort((a, b) => (a < b ? -1 : 1));
  return titles
    .map((title) => {
      const own = runs.filter((run) => titleOf(run) === title);
      return `### ${title}\n\n${scoreTable(own)}\n\n${taskTable(own)}\n`;
    })
    .join('\n');
}

function titleOf({ settings }: KeptRun): string {
  const { sequence, stepsPerTask, batchSize } = settings;
  return `${sequence.length} tasks from ${taskName(sequence[0] ?? '')} on, ${stepsPerTask} updates of ${batchSize} windows a task`;
}

function scoreTable(runs: readonly KeptRun[]): string {
  const head = [
    ...['training', 'average at any time', 'at the last step', 'forgetting', 'from the best'],
    ...['retention', 'weights that learn', 'learning rate', 'time'],
  ];
  const lines = runs.map((run) => {
    const { name, summary, settings } = run;
    const { anyTime, atEnd, trainableParameters, trainingSeconds } = summary;
    return [
      ...[`\`${name}\``, `${figure(anyTime.averagePerformance)}${intervalOf(run)}`, figure(atEnd.averagePerformance)],
      ...[figure(anyTime.forgetting), figure(anyTime.forgettingFromBest), figure(anyTime.retention)],
      trainableParameters.toLocaleString('en'),
      ...[String(settings.learningRate), `${(trainingSeconds / 60).toFixed(0)} min`],
    ];
  });
  return markdown(head, lines);
}

/** Over the episodes of the last evaluation; nothing where tasks have returns instead of success. */
function intervalOf(run: KeptRun): string {
  const { settings } = run;
  const last = atUpdate(run, totalUpdates(timetableOf(settings))).filter(({ task }) =>
    settings.sequence.includes(task),
  );
  if (last.some(({ anyTime }) => anyTime === null)) return '';
  const sum = (value: (row: EvaluationRow) => number) => last.reduce((total, row) => total + value(row), 0);
  const rate = successRate(
    sum(({ anyTime }) => anyTime ?? 0),
    sum(({ episodes }) => episodes),
  );
  return rate === null ? '' : ` [${figure(rate.lower)}, ${figure(rate.upper)}]`;
}

/** Every task after the last stage; `a → b` where it was `a` right after it had been learned. */
function taskTable(runs: readonly KeptRun[]): string {
  const [first] = runs;
  if (first === undefined) return '';
  const lines = evaluatedTasks(first.settings).map((task) => {
    const old = first.settings.sequence.includes(task) ? '' : ' (old)';
    return [`${taskName(task)}${old}`, ...[cellOf(first, task, 0), ...runs.map((run) => courseOf(run, task))]];
  });
  return markdown(['task', 'before', ...runs.map(({ name }) => `\`${name}\``)], lines);
}

function courseOf(run: KeptRun, task: string): string {
  const { settings } = run;
  const end = totalUpdates(timetableOf(settings));
  const position = settings.sequence.lastIndexOf(task);
  const [learned, final] = [cellOf(run, task, (position + 1) * settings.stepsPerTask), cellOf(run, task, end)];
  return position < 0 || learned === final || learned === '–' ? final : `${learned} → ${final}`;
}

function cellOf(run: KeptRun, task: string, update: number): string {
  const row = atUpdate(run, update).find((each) => each.task === task);
  if (row === undefined) return '–';
  if (domainOf(row.task) === 'dmcontrol') return figure(row.normalizedScore);
  return row.anyTime === null ? '–' : (row.anyTime / row.episodes).toFixed(1);
}

function atUpdate({ rows }: KeptRun, update: number): EvaluationRow[] {
  return rows.filter((row) => row.update === update);
}

function figure(value: number | null): string {
  return value?.toFixed(2).replace('-0.00', '0.00') ?? '–';
}

function markdown(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}
