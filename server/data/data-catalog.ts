import { stat } from 'node:fs/promises';
import type { DataSets, DataSetView } from '../../protocol/data-sets.ts';
import { errorFromUnknown } from '../errors.ts';
import { findDataSets, type DataSetPlace } from './data-sets.ts';
import { openDataSet } from './open-data-set.ts';
import { summariseDataSet, type DataSetSummary } from './summarise-data-set.ts';

type Found = { readonly view: DataSetView } | { readonly message: string } | undefined;

interface Known {
  /** Size and time of change of the file and of the log. */
  readonly tag: string;
  readonly found: Found;
}

/** What lies below a folder of trajectories, for people who look again and again: a data set is read anew only where it has changed. */
export class DataCatalog {
  readonly #folder: string;
  #known = new Map<string, Known>();
  #listing: Promise<DataSets> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whoever asks while a list is being made gets that one. */
  list(): Promise<DataSets> {
    this.#listing ??= this.#list().finally(() => (this.#listing = undefined));
    return this.#listing;
  }

  async #list(): Promise<DataSets> {
    // Nothing collected yet is no fault here.
    const places = await findDataSets(this.#folder).catch(() => []);
    const known = new Map<string, Known>();
    // One after the other: the server has episodes to serve meanwhile.
    for (const place of places) {
      const name = `${place.task} ${place.source}`;
      const tag = await tagOf(place);
      const before = this.#known.get(name);
      known.set(name, before?.tag === tag ? before : { tag, found: await viewOf(place) });
    }
    this.#known = known;
    const all = places.map((place) => ({ place, found: known.get(`${place.task} ${place.source}`)?.found }));
    return {
      sets: all.flatMap(({ found }) => (found !== undefined && 'view' in found ? [found.view] : [])),
      damaged: all.flatMap(({ place, found }) =>
        found !== undefined && 'message' in found
          ? [{ file: place.file ?? place.log ?? place.source, message: found.message }]
          : [],
      ),
    };
  }
}

async function tagOf({ file, log }: DataSetPlace): Promise<string> {
  const facts = await Promise.all(
    [file, log].map(async (path) => (path === undefined ? undefined : stat(path).catch(() => undefined))),
  );
  return facts.map((each) => (each === undefined ? '–' : `${each.size} ${each.mtimeMs}`)).join(', ');
}

async function viewOf(place: DataSetPlace): Promise<Found> {
  try {
    const set = await openDataSet(place);
    if (set === undefined) return undefined;
    try {
      return { view: shortened(await summariseDataSet(set)) };
    } finally {
      await set.close();
    }
  } catch (thrown) {
    return { message: errorFromUnknown(thrown).message };
  }
}

function shortened({ byNoise: _, returns, provenance, ...summary }: DataSetSummary): DataSetView {
  const { identity, notes } = provenance;
  return {
    ...summary,
    successAnyTime: summary.successAnyTime?.rate ?? null,
    successAtEnd: summary.successAtEnd?.rate ?? null,
    returns: returns === null ? null : { ...returns, counts: [...returns.counts] },
    provenance: { identity: { ...identity }, notes: { ...notes } },
  };
}
