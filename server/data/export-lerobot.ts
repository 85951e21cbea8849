import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { domainOf } from '../../protocol/task.ts';
import { readEpisode } from '../learning/stored-episode.ts';
import { writeParquet, type ParquetColumn, type ParquetRow } from '../store/parquet-file.ts';
import type { Exported, ExportOptions } from './export-data.ts';
import { exportFolder } from './export-folder.ts';
import { FeatureStatistics } from './feature-statistics.ts';
import { cellOf, columnOf, lerobotFeatures, numbersOf, type Frame, type LerobotFeature } from './lerobot-features.ts';
import { lerobotFiles, type PlacedEpisode } from './lerobot-files.ts';
import type { DataSet } from './open-data-set.ts';

const STATISTICS = ['min', 'max', 'mean', 'std', 'count'] as const;

/**
 * Writes data sets of equal observations and actions as one of LeRobot, codebase version 3.0: frames in `data/chunk-000/file-000.parquet` and further files,
 * episodes and their statistics in `meta/episodes`, `meta/tasks.parquet`, `meta/stats.json`, `meta/info.json`. The folder is
 * `<to>/metaworld-<source>` or `<to>/<task>-<source>`; frames a second are those of the simulator's control.
 *
 * @param sets at least one
 * @throws L2mError L2M_CONFIG_INVALID if it exists, L2M_STORE_UNWRITABLE, L2M_DATA_INVALID
 */
export async function exportLerobot(sets: readonly DataSet[], options: ExportOptions): Promise<Exported> {
  const [first] = sets;
  if (first === undefined) throw new RangeError('no data set to export');
  const { task, source, spec } = first.head;
  const fps = Math.round(1 / spec.controlTimestep);
  const features = lerobotFeatures(first.head, first.sizes, fps);
  const files = lerobotFiles(sets);
  const all = files.flat();
  const frames = all.reduce((sum, { stored }) => sum + stored.steps, 0);
  const name = `${domainOf(task) === 'metaworld' ? 'metaworld' : task.slice('dmcontrol/'.length)}-${source}`;
  const folder = join(options.to, name);
  await exportFolder(folder, options.overwrite, async (temporary) => {
    const whole = statisticsFor(features);
    const episodeRows: ParquetRow[] = [];
    for (const [number, episodes] of files.entries()) {
      await writeParquet(join(temporary, `data/${fileName(number)}`), {
        columns: features.map(columnOf),
        rows: frameRows(episodes, { features, whole, episodeRows, file: number }),
      });
    }
    await writeParquet(join(temporary, 'meta/episodes/chunk-000/file-000.parquet'), {
      columns: episodeColumns(features),
      rows: episodeRows,
    });
    await writeTasks(
      join(temporary, 'meta/tasks.parquet'),
      sets.map(({ head }) => head.task),
    );
    const info = infoOf(features, { episodes: all.length, frames, tasks: sets.length, fps });
    await mkdir(join(temporary, 'meta'), { recursive: true });
    await writeFile(join(temporary, 'meta/info.json'), JSON.stringify(info, null, 4));
    const stats = Object.fromEntries(features.map((feature, i) => [feature.name, whole[i]?.result()]));
    await writeFile(join(temporary, 'meta/stats.json'), JSON.stringify(stats, null, 4));
  });
  return { path: folder, episodes: all.length, transitions: frames };
}

interface FrameContext {
  readonly features: readonly LerobotFeature[];
  /** Over all episodes, in the order of the features. */
  readonly whole: readonly FeatureStatistics[];
  /** Gets a row for every episode. */
  readonly episodeRows: ParquetRow[];
  readonly file: number;
}

async function* frameRows(episodes: readonly PlacedEpisode[], context: FrameContext): AsyncGenerator<ParquetRow> {
  const { features, whole, episodeRows, file } = context;
  for (const { stored, task, ...place } of episodes) {
    const episode = await readEpisode(stored);
    const own = statisticsFor(features);
    for (let step = 0; step < stored.steps; step++) {
      const frame: Frame = { ...place, episode, step, index: place.firstIndex + step };
      features.forEach((feature, i) => {
        const numbers = numbersOf(feature, frame);
        own[i]?.add(numbers);
        whole[i]?.add(numbers);
      });
      yield features.map((feature) => cellOf(feature, frame));
    }
    const statistics = own.flatMap((each) => {
      const result = each.result();
      return STATISTICS.map((name) => result[name]);
    });
    const { chunk, index } = positionOf(file);
    const { episodeIndex, firstIndex } = place;
    const span = [firstIndex, firstIndex + stored.steps];
    episodeRows.push([episodeIndex, [task], stored.steps, chunk, index, ...span, 0, 0, ...statistics]);
  }
}

function episodeColumns(features: readonly LerobotFeature[]): ParquetColumn[] {
  return [
    { name: 'episode_index', type: 'bigint' },
    { name: 'tasks', type: 'texts' },
    { name: 'length', type: 'bigint' },
    { name: 'data/chunk_index', type: 'bigint' },
    { name: 'data/file_index', type: 'bigint' },
    { name: 'dataset_from_index', type: 'bigint' },
    { name: 'dataset_to_index', type: 'bigint' },
    { name: 'meta/episodes/chunk_index', type: 'bigint' },
    { name: 'meta/episodes/file_index', type: 'bigint' },
    ...features.flatMap(({ name }) =>
      STATISTICS.map((each): ParquetColumn => ({
        name: `stats/${name}/${each}`,
        type: each === 'count' ? 'bigints' : 'doubles',
      })),
    ),
  ];
}

/** LeRobot finds a task by the index of a table of pandas, which is told so in the file's footer. */
async function writeTasks(path: string, tasks: readonly string[]): Promise<void> {
  const column = (name: string, numpy: string, pandas: string) => {
    return { name, field_name: name, pandas_type: pandas, numpy_type: numpy, metadata: null };
  };
  const pandas = {
    index_columns: ['task'],
    column_indexes: [],
    columns: [column('task_index', 'int64', 'int64'), column('task', 'object', 'unicode')],
    creator: { library: 'l2m', version: '1' },
    pandas_version: '2.0.0',
  };
  await writeParquet(path, {
    columns: [
      { name: 'task_index', type: 'bigint' },
      { name: 'task', type: 'text' },
    ],
    rows: tasks.map((task, index) => [index, task]),
    metadata: { pandas: JSON.stringify(pandas) },
  });
}

interface Totals {
  readonly episodes: number;
  readonly frames: number;
  readonly tasks: number;
  readonly fps: number;
}

function infoOf(features: readonly LerobotFeature[], totals: Totals): Record<string, unknown> {
  return {
    codebase_version: 'v3.0',
    robot_type: null,
    total_episodes: totals.episodes,
    total_frames: totals.frames,
    total_tasks: totals.tasks,
    chunks_size: 1000,
    data_files_size_in_mb: 100,
    video_files_size_in_mb: 200,
    fps: totals.fps,
    splits: { train: `0:${totals.episodes}` },
    data_path: 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
    video_path: null,
    features: Object.fromEntries(features.map(({ name, dtype, shape, names }) => [name, { dtype, shape, names }])),
  };
}

function statisticsFor(features: readonly LerobotFeature[]): FeatureStatistics[] {
  return features.map(({ shape }) => new FeatureStatistics(shape[0]));
}

function positionOf(file: number): { chunk: number; index: number } {
  return { chunk: Math.floor(file / 1000), index: file % 1000 };
}

function fileName(file: number): string {
  const { chunk, index } = positionOf(file);
  const three = (number: number) => String(number).padStart(3, '0');
  return `chunk-${three(chunk)}/file-${three(index)}.parquet`;
}
