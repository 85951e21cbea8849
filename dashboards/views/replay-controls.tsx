import { useComputed, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { RECORDING_ENDING } from '../../protocol/recording.ts';
import { grouped, short } from '../format.ts';
import { film } from '../replay/film.ts';
import { SPEEDS, type Player } from '../replay/player.ts';
import { recordingFrom } from '../replay/recorded-episode.ts';
import { saveAs } from '../replay/save-as.ts';
import { LoopIcon, PauseIcon, PlayIcon, StepBackIcon, StepForwardIcon } from './icons.tsx';
import type { PictureHandle } from './replay-picture.tsx';
import { RewardCurve } from './reward-curve.tsx';

interface ControlsProps {
  readonly player: Player;
  readonly picture: RefObject<PictureHandle | null>;
  /** Where the file can be had; null if it was opened from this machine. */
  readonly stored: { readonly run: string; readonly episode: string } | null;
}

export function ReplayControls({ player, picture, stored }: ControlsProps) {
  return (
    <div class="replay-controls">
      <Scrub player={player} />
      <div class="replay-row">
        <Transport player={player} />
        <Numbers player={player} />
        <Keep player={player} picture={picture} stored={stored} />
      </div>
    </div>
  );
}

/** Reward against steps with the first success marked; the bar over it moves through the episode. */
function Scrub({ player }: { readonly player: Player }) {
  const { length } = player;
  const step = player.step;
  return (
    <div class="scrub">
      <RewardCurve episode={player.episode} />
      <span
        class="scrub-head"
        style={{ left: `${(player.position.value / Math.max(1, length)) * 100}%` }}
        aria-hidden="true"
      />
      <input
        type="range"
        min={0}
        max={length}
        step={1}
        value={step}
        aria-label="Step"
        aria-valuetext={`step ${step} of ${length}`}
        onInput={(event) => {
          player.pause();
          player.seek(Number(event.currentTarget.value));
        }}
      />
    </div>
  );
}

function Transport({ player }: { readonly player: Player }) {
  const playing = player.playing.value;
  return (
    <div class="transport" role="group" aria-label="Replay">
      <button
        type="button"
        class="icon-button"
        aria-label="One step back"
        title="One step back (,)"
        onClick={() => player.stepBy(-1)}
      >
        <StepBackIcon />
      </button>
      <button
        type="button"
        class="icon-button transport-play"
        aria-label={playing ? 'Pause the replay' : 'Play'}
        title="Play or pause (Space)"
        onClick={() => player.toggle()}
      >
        {playing ? <PauseIcon /> : <PlayIcon />}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="One step forward"
        title="One step forward (.)"
        onClick={() => player.stepBy(1)}
      >
        <StepForwardIcon />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="Loop"
        title="Begin anew at the end"
        aria-pressed={player.loop.value}
        onClick={() => (player.loop.value = !player.loop.value)}
      >
        <LoopIcon />
      </button>
      <select
        aria-label="Speed"
        title="1× is the time of the simulated world"
        value={player.speed.value}
        onChange={(event) => (player.speed.value = Number(event.currentTarget.value))}
      >
        {SPEEDS.map((speed) => (
          <option key={speed} value={speed}>
            {speed}×
          </option>
        ))}
      </select>
    </div>
  );
}

function Numbers({ player }: { readonly player: Player }) {
  const step = useComputed(() => Math.floor(player.position.value)).value;
  const { header, rewards, returns, selections, similarities } = player.episode;
  const selected = selections[Math.min(step, header.length - 1)] ?? -1;
  const success = header.firstSuccessStep !== null && step >= header.firstSuccessStep;
  return (
    <dl class="tile-numbers replay-numbers">
      <div>
        <dt>step</dt>
        <dd data-figure="replay-step">
          {grouped(step)} / {grouped(header.length)}
        </dd>
      </div>
      <div title="Time in the simulated world">
        <dt>time</dt>
        <dd>{(step * header.controlTimestep).toFixed(2)} s</dd>
      </div>
      <div>
        <dt class="key-reward">reward</dt>
        <dd>{short(step === 0 ? 0 : (rewards[step - 1] ?? 0))}</dd>
      </div>
      <div>
        <dt class="key-return">return</dt>
        <dd>{short(returns[step] ?? 0)}</dd>
      </div>
      {selected >= 0 && (
        <div title="Chosen modulator and its similarity to the query">
          <dt>key</dt>
          <dd>
            {selected} <span class="faint">{(similarities[Math.min(step, header.length - 1)] ?? 0).toFixed(2)}</span>
          </dd>
        </div>
      )}
      {success && <div class="mark-text mark-success">success</div>}
    </dl>
  );
}

function Keep({ player, picture, stored }: ControlsProps) {
  const note = useSignal('');
  const filming = useSignal(false);
  const { run, episode, pictures } = player.episode.header;
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
  const file = async (source: NonNullable<ControlsProps['stored']>): Promise<void> => {
    const bytes = await recordingFrom(source.run, source.episode, pictures > 0);
    saveAs(new Blob([bytes as Uint8Array<ArrayBuffer>]), `${name}${RECORDING_ENDING}`);
  };
  return (
    <div class="replay-keep">
      {note.value !== '' && (
        <span role="alert" class="bad">
          {note.value}
        </span>
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
