import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { taskName } from '../../protocol/task.ts';
import type { Player } from '../replay/player.ts';
import { Stage } from '../scene/stage.ts';
import type { Tile, TileStatus } from '../scene/tile.ts';
import { fetchWithToken } from '../session-token.ts';
import { theme } from '../theme.ts';
import { useTileControls } from './tile-controls.ts';
import { ViewMenu } from './view-menu.tsx';

export interface PictureHandle {
  tile(): Tile | null;
  canvas(): HTMLCanvasElement | null;
}

interface PictureProps {
  readonly player: Player;
  /** Where to look from; empty for the home view. */
  readonly camera: string;
  readonly handle?: RefObject<PictureHandle | null>;
  /** A recording of the same scene to draw on top, if there is one. */
  readonly overlay?: RefObject<Player | null>;
}

/** The scene of a recording on a stage of its own, so that a picture or film of it shows nothing else. */
export function ReplayPicture({ player, camera, handle, overlay }: PictureProps) {
  const element = useRef<HTMLDivElement>(null);
  const tile = useRef<Tile | null>(null);
  const stage = useRef<Stage | null>(null);
  const status = useSignal<TileStatus>({ kind: 'loading' });
  const { header, scene } = player.episode;
  const drawable = header.pictures > 0 && (scene !== null || header.scene !== '');
  useEffect(() => {
    if (handle !== undefined)
      handle.current = { tile: () => tile.current, canvas: () => stage.current?.canvas ?? null };
    if (!drawable || element.current === null) return undefined;
    try {
      stage.current = new Stage({
        container: element.current,
        fetchScene: scene === null ? fetchWithToken : (path) => Promise.resolve(answerFrom(scene, path)),
        onFps: () => undefined,
      });
    } catch (error) {
      status.value = { kind: 'failed', reason: error instanceof Error ? error.message : 'this browser has no WebGL2' };
      return undefined;
    }
    const added = stage.current.addTile(element.current, {
      ...{ task: header.task, scene: header.scene === '' ? 'file' : header.scene, track: () => player },
      ghost: () => overlay?.current ?? null,
      onStatus: (next) => (status.value = next),
    });
    added.lookAs(camera);
    tile.current = added;
    return () => {
      added.remove();
      stage.current?.dispose();
      tile.current = stage.current = null;
    };
  }, [player]);
  useEffect(() => stage.current?.setBackground(), [theme.value]);
  const hovered = useSignal('');
  useTileControls(element, tile, { onHover: (name) => (hovered.value = name) });
  if (!drawable) return <p class="replay-flat">{flatWords(header.pictures)}</p>;
  return (
    <div class="tile-picture">
      <ViewMenu tile={tile} />
      <div
        class="replay-picture"
        ref={element}
        tabIndex={0}
        role="img"
        aria-label={`${taskName(header.task)}, recorded`}
        data-picture={status.value.kind}
      >
        {hovered.value !== '' && <span class="hover-name">{hovered.value}</span>}
        {status.value.kind === 'loading' && <span class="viewport-note">Loading the scene…</span>}
        {status.value.kind === 'failed' && (
          <span class="viewport-note viewport-failed">No scene: {status.value.reason}</span>
        )}
      </div>
    </div>
  );
}

function flatWords(pictures: number): string {
  return pictures === 0
    ? 'No poses were recorded of this episode, only rewards, actions and choices. They can be simulated again from the actions; a server started with “--record all” keeps them of every one.'
    : 'The geometry of this episode is not at hand: it appears once a worker has played the task again.';
}

function answerFrom(scene: { readonly manifest: Uint8Array; readonly assets: Uint8Array }, path: string): Response {
  return new Response((path.endsWith('/assets') ? scene.assets : scene.manifest) as Uint8Array<ArrayBuffer>);
}
