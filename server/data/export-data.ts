import { L2mError } from '../errors.ts';
import { domainOf } from '../../protocol/task.ts';
import type { DataSetPlace } from './data-sets.ts';
import { exportLerobot } from './export-lerobot.ts';
import { exportMinari } from './export-minari.ts';
import { openDataSet, type DataSet } from './open-data-set.ts';

/** Whose layout to write. */
export type ForeignFormat = 'minari' | 'lerobot';

export interface ExportOptions {
  /** Folder that gets one folder a data set. */
  readonly to: string;
  /** Replace what is there. */
  readonly overwrite: boolean;
}

/** A data set in the layout of another library. */
export interface Exported {
  readonly path: string;
  readonly episodes: number;
  readonly transitions: number;
}

/**
 * Exports data sets, those of a collection under way with what is kept so far. Minari gets one data set a task; LeRobot one for all
 * tasks of Meta-World, which show and do the same numbers, and one for each of DMControl.
 * @throws L2mError L2M_CONFIG_INVALID, L2M_DATA_INVALID, L2M_STORE_UNWRITABLE
 */
export async function exportData(
  format: ForeignFormat,
  places: readonly DataSetPlace[],
  options: ExportOptions & { readonly onExported?: (exported: Exported) => void },
): Promise<Exported[]> {
  const results: Exported[] = [];
  for (const group of format === 'minari' ? places.map((place) => [place]) : alike(places)) {
    const sets: DataSet[] = [];
    try {
      for (const place of group) {
        const set = await openDataSet(place);
        if (set !== undefined && set.episodes.length > 0) sets.push(set);
      }
      const [first] = sets;
      if (first === undefined) continue;
      const exported = await (format === 'minari' ? exportMinari(first, options) : exportLerobot(sets, options));
      options.onExported?.(exported);
      results.push(exported);
    } finally {
      for (const set of sets) await set.close();
    }
  }
  if (results.length > 0) return results;
  throw new L2mError('L2M_DATA_INVALID', 'there are no finished episodes to export');
}

/** Meta-World by source, DMControl by task and source. */
function alike(places: readonly DataSetPlace[]): DataSetPlace[][] {
  const groups = new Map<string, DataSetPlace[]>();
  for (const place of places) {
    const key = `${domainOf(place.task) === 'metaworld' ? '' : place.task} ${place.source}`;
    groups.set(key, [...(groups.get(key) ?? []), place]);
  }
  return [...groups.values()];
}
