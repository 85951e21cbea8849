import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { RECORDING_ENDING } from '../../protocol/recording.ts';
import { film } from '../replay/film.ts';
import type { Player } from '../replay/player.ts';
import { rebuildPoses, recordingFrom } from '../replay/recorded-episode.ts';
import { saveAs } from '../replay/save-as.ts';
import type { PictureHandle } from './replay-picture.tsx';

export interface KeepProps {
  readonly player: Player;
  readonly picture: RefObject<PictureHandle | null>;
  /** Where the file can be had; null if it was opened from this machine. */
  readonly stored: { readonly run: string; readonly episode: string } | null;
  /** The file on the server has got all poses; null where this page may not ask for them. */
  readonly onRebuilt: (() => void) | null;
}

/** A recording as picture, film or file; and the poses that were not kept. */
export function ReplayKeep({ player, picture, stored, onRebuilt }: KeepProps) {
  const note = useSignal('');
  const filming = useSignal(false);
  const rebuilding = useSignal(false);
  const { run, episode, pictures, length } = player.episode.header;
  const name = `${run}.${episode}`;
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    note.value = '';
    await what().catch((error: unknown) => (note.value = error instanceof Error ? error.message : 'It failed.'));
  };
  const screenshot = async (): Promise<void> => {
    const canvas = picture.current?.canvas();
    const blob = canvas && (await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve)));
    if (!blob) throw new Error('There is no picture yet.');
    saveAs(blob, `${name}.${player.step}.png`);
  };
  const makeFilm = async (): Promise<void> => {
    const canvas = picture.current?.canvas();
    if (!canvas) throw new Error('There is no picture yet.');
    filming.value = true;
    await film(player, canvas)
      .then((blob) => saveAs(blob, `${name}.webm`))
      .finally(() => (filming.value = false));
  };
  const file = async (source: NonNullable<KeepProps['stored']>): Promise<void> => {
    const bytes = await recordingFrom(source.run, source.episode, pictures > 0);
    saveAs(new Blob([bytes as Uint8Array<ArrayBuffer>]), `${name}${RECORDING_ENDING}`);
  };
  const rebuild = async (source: NonNullable<KeepProps['stored']>): Promise<void> => {
    rebuilding.value = true;
    await rebuildPoses(source.run, source.episode).finally(() => (rebuilding.value = false));
    onRebuilt?.();
  };
  return (
    <div class="replay-keep">
      {note.value !== '' && (
        <span role="alert" class="bad">
          {note.value}
        </span>
      )}
      {stored !== null && onRebuilt !== null && pictures <= length && (
        <button
          type="button"
          class="button"
          disabled={rebuilding.value}
          title="Simulates the episode again from its actions; the poses are kept if every number comes out as recorded"
          onClick={() => void attempt(() => rebuild(stored))}
        >
          {rebuilding.value ? 'Simulating again…' : 'Rebuild all poses'}
        </button>
      )}
      {pictures > 0 && (
        <>
          <button type="button" class="button" onClick={() => void attempt(screenshot)}>
            Screenshot
          </button>
          <button type="button" class="button" disabled={filming.value} onClick={() => void attempt(makeFilm)}>
            {filming.value ? 'Filming…' : 'WebM'}
          </button>
        </>
      )}
      {stored !== null && (
        <button
          type="button"
          class="button"
          title="With geometry inside: plays without a server"
          onClick={() => void attempt(() => file(stored))}
        >
          Save file
        </button>
      )}
    </div>
  );
}
