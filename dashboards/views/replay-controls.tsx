import { useComputed } from '@preact/signals';
import { grouped, short } from '../format.ts';
import { SPEEDS, type Player } from '../replay/player.ts';
import { LoopIcon, PauseIcon, PlayIcon, StepBackIcon, StepForwardIcon } from './icons.tsx';
import { ReplayKeep, type KeepProps } from './replay-keep.tsx';
import { ReplayLanes } from './replay-lanes.tsx';
import { RewardCurve } from './reward-curve.tsx';

export function ReplayControls({ player, picture, stored, onRebuilt }: KeepProps) {
  return (
    <div class="replay-controls">
      <Scrub player={player} />
      <div class="replay-row">
        <Transport player={player} />
        <Numbers player={player} />
        <ReplayKeep player={player} picture={picture} stored={stored} onRebuilt={onRebuilt} />
      </div>
    </div>
  );
}

/** Reward against steps with the first success marked, actions and keys below; the bar over it moves through the episode. */
function Scrub({ player }: { readonly player: Player }) {
  const { length } = player;
  const step = player.step;
  return (
    <div class="scrub">
      <RewardCurve episode={player.episode} />
      <ReplayLanes player={player} />
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
