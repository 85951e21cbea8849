/** Which recording to show, and from where and when. */
export type ReplayRequest =
  | {
      readonly kind: 'stored';
      readonly run: string;
      readonly episode: string;
      readonly step: number;
      /** As `Tile.view` gives it. */
      readonly camera: string;
      /** `RUN/EPISODE` to show beside it; empty for none. */
      readonly compare: string;
      /** Whether that one is drawn into the picture of the first, not beside it. */
      readonly ghost: boolean;
    }
  | { readonly kind: 'file'; readonly file: File };

/** The environment that is shown large, in the address of a page; null for all alike. */
export const focusFromAddress = (search: string): string | null => new URLSearchParams(search).get('env');

export function addressOfFocus(href: string, key: string | null): string {
  const url = new URL(href);
  if (key === null) url.searchParams.delete('env');
  else url.searchParams.set('env', key);
  return readable(url);
}

const KEYS = ['run', 'episode', 'step', 'camera', 'compare', 'ghost'] as const;

/** @param search `location.search`; null unless it names a recording */
export function replayFromAddress(search: string): ReplayRequest | null {
  const query = new URLSearchParams(search);
  const [run, episode] = [query.get('run'), query.get('episode')];
  if (run === null || episode === null) return null;
  const step = Number(query.get('step') ?? 0);
  return {
    ...{ kind: 'stored', run, episode },
    step: Number.isFinite(step) && step > 0 ? step : 0,
    camera: query.get('camera') ?? '',
    compare: query.get('compare') ?? '',
    ghost: query.get('ghost') === '1',
  };
}

/** The page's address with this recording, or without any; everything else in it stays. */
export function addressOf(href: string, replay: ReplayRequest | null): string {
  const url = new URL(href);
  for (const key of KEYS) url.searchParams.delete(key);
  if (replay?.kind === 'stored') {
    url.searchParams.set('run', replay.run);
    url.searchParams.set('episode', replay.episode);
    if (replay.step > 0) url.searchParams.set('step', String(replay.step));
    if (replay.camera !== '') url.searchParams.set('camera', replay.camera);
    if (replay.compare !== '') url.searchParams.set('compare', replay.compare);
    if (replay.compare !== '' && replay.ghost) url.searchParams.set('ghost', '1');
  }
  return readable(url);
}

/** Characters that may stand in a query as they are do so. */
function readable(url: URL): string {
  url.search = url.search.replace(/%(2C|2F|3A|40|7E)/g, (encoded) => decodeURIComponent(encoded));
  return url.href;
}
