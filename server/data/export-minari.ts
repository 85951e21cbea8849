import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { File as Hdf5File, Group } from 'h5wasm/node';
import { taskName } from '../../protocol/task.ts';
import { readEpisode } from '../learning/stored-episode.ts';
import type { Episode, EpisodeSizes } from '../learning/episode.ts';
import type { Exported, ExportOptions } from './export-data.ts';
import { exportFolder } from './export-folder.ts';
import type { DataSet } from './open-data-set.ts';

/** The release whose layout this is; Minari reads data sets of all versions that it lists. */
const MINARI_VERSION = '0.5.3';

/**
 * Writes a data set where Minari looks for it: `<to>/<domain>/<task>/<source>-v0`, to be loaded as that id with `MINARI_DATASETS_PATH=<to>`.
 *
 * Minari keeps the observation after the last action as well, which trajectories do not have. So each episode loses its last
 * transition, which leaves nothing invented; `truncations` marks the one before. `infos`: success, the action without noise,
 * the start and the level of noise, the first entry being that of the reset.
 *
 * @throws L2mError L2M_CONFIG_INVALID if it exists, L2M_STORE_UNWRITABLE, L2M_DATA_INVALID
 */
export async function exportMinari(set: DataSet, options: ExportOptions): Promise<Exported> {
  const { task, source, provenance } = set.head;
  const id = `${task}/${source}-v0`;
  const folder = join(options.to, id);
  const counted = { episodes: 0, transitions: 0 };
  await exportFolder(folder, options.overwrite, async (temporary) => {
    const data = join(temporary, 'data');
    await mkdir(data);
    const path = join(data, 'main_data.hdf5');
    // Loaded here, because its WebAssembly takes as long to start as all other commands together.
    const { default: hdf5 } = await import('h5wasm/node');
    await hdf5.ready;
    const file: Hdf5File = new hdf5.File(path, 'w');
    try {
      for (const stored of set.episodes) {
        if (stored.steps < 2) continue;
        writeEpisode(file.create_group(`episode_${counted.episodes}`), await readEpisode(stored), {
          id: counted.episodes,
          sizes: set.sizes,
        });
        counted.episodes++;
        counted.transitions += stored.steps - 1;
      }
    } finally {
      file.close();
    }
    const metadata = {
      total_episodes: counted.episodes,
      total_steps: counted.transitions,
      data_format: 'hdf5',
      observation_space: boxText(set.sizes.observationSize, 'Infinity'),
      action_space: boxText(set.sizes.actionSize, '1.0'),
      dataset_id: id,
      minari_version: MINARI_VERSION,
      dataset_size: Math.round((await stat(path)).size / 1e5) / 10,
      algorithm_name: source,
      description: `${taskName(task)}, exported by l2m from ${JSON.stringify(provenance.identity)}; each episode without its last transition`,
      l2m_content_sha256: set.contentHash ?? '',
    };
    await writeFile(join(data, 'metadata.json'), JSON.stringify(metadata));
  });
  return { path: folder, ...counted };
}

interface EpisodePlace {
  readonly id: number;
  readonly sizes: EpisodeSizes;
}

function writeEpisode(group: Group, episode: Episode, { id, sizes }: EpisodePlace): void {
  const { observationSize, actionSize } = sizes;
  const steps = episode.rewards.length - 1;
  group.create_attribute('id', id, null, '<i');
  group.create_attribute('total_steps', steps, null, '<i');
  const floats = (within: Group, name: string, { data, shape }: { data: Float32Array; shape: number[] }): void => {
    within.create_dataset({ name, data, shape, dtype: '<f' });
  };
  const bytes = (within: Group, name: string, data: Uint8Array): void => {
    within.create_dataset({ name, data, shape: [data.length], dtype: '<B' });
  };
  floats(group, 'observations', { data: episode.observations, shape: [steps + 1, observationSize] });
  floats(group, 'actions', { data: episode.actions.slice(0, steps * actionSize), shape: [steps, actionSize] });
  floats(group, 'rewards', { data: episode.rewards.slice(0, steps), shape: [steps] });
  bytes(group, 'terminations', new Uint8Array(steps));
  bytes(
    group,
    'truncations',
    Uint8Array.from({ length: steps }, (_, i) => Number(i === steps - 1)),
  );
  const infos = group.create_group('infos');
  bytes(infos, 'success', Uint8Array.of(0, ...episode.successes.subarray(0, steps)));
  const targets = new Float32Array((steps + 1) * actionSize);
  targets.set(episode.targets.subarray(0, steps * actionSize), actionSize);
  floats(infos, 'expert_action', { data: targets, shape: [steps + 1, actionSize] });
  const start = new Float32Array(steps + 1).fill(episode.start);
  floats(infos, 'start', { data: start, shape: [steps + 1] });
  floats(infos, 'noise', { data: new Float32Array(steps + 1).fill(episode.noise), shape: [steps + 1] });
}

/** A Gymnasium box as Minari writes it: JSON with Python's numbers, which know infinity. */
function boxText(size: number, bound: string): string {
  const all = (value: string) => `[${new Array<string>(size).fill(value).join(', ')}]`;
  return `{"type": "Box", "dtype": "float32", "shape": [${size}], "low": ${all(`-${bound}`)}, "high": ${all(bound)}}`;
}
