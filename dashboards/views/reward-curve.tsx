import { useMemo } from 'preact/hooks';
import type { RecordedEpisode } from '../replay/recorded-episode.ts';

const WIDTH = 600;
const HEIGHT = 44;

/** Rewards of a whole episode as one line, at most one point a pixel, and a mark at the first success. */
export function RewardCurve({ episode }: { readonly episode: RecordedEpisode }) {
  const path = useMemo(() => pathOf(episode.rewards), [episode]);
  const { firstSuccessStep, length } = episode.header;
  return (
    <svg class="reward-curve" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} class="reward-line" />
      {firstSuccessStep !== null && (
        <rect
          class="success-mark"
          data-success={firstSuccessStep}
          x={(firstSuccessStep / length) * WIDTH}
          width="2"
          height={HEIGHT}
        />
      )}
    </svg>
  );
}

function pathOf(rewards: Float64Array): string {
  if (rewards.length === 0) return '';
  let [low, high] = [0, 0];
  for (const reward of rewards) {
    low = Math.min(low, reward);
    high = Math.max(high, reward);
  }
  const stride = Math.max(1, Math.ceil(rewards.length / WIDTH));
  const points: string[] = [];
  for (let index = 0; index < rewards.length; index += stride) {
    const x = ((index + 1) / rewards.length) * WIDTH;
    const y = HEIGHT - 3 - (((rewards[index] ?? 0) - low) / Math.max(1e-9, high - low)) * (HEIGHT - 6);
    points.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
  }
  return `M${points.join('L')}`;
}
