import { useEffect, useRef } from 'preact/hooks';
import type { EnvironmentView } from '../../protocol/dashboard-views.ts';
import type { Curve } from '../curve.ts';
import type { Store } from '../store.ts';
import { theme } from '../theme.ts';

/** Reward (area) and return (line) of the present episode over its horizon. */
export function Sparkline({ store, environment }: { readonly store: Store; readonly environment: EnvironmentView }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { key, horizon } = environment;
  const colors = theme.value;
  useEffect(
    () =>
      store.numbersTick.subscribe(() => {
        const curve = store.live.environments.get(key)?.curve;
        if (canvas.current !== null && curve !== undefined) drawCurves(canvas.current, curve, horizon);
      }),
    [store, key, horizon, colors],
  );
  return <canvas class="sparkline" ref={canvas} role="img" aria-label="Reward and return over the episode" />;
}

function drawCurves(canvas: HTMLCanvasElement, curve: Curve, horizon: number): void {
  const ratio = Math.min(2, devicePixelRatio);
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d');
  if (context === null || width === 0) return;
  const style = getComputedStyle(canvas);
  context.clearRect(0, 0, width, height);
  if (curve.length < 2) return;
  const x = (index: number): number => ((curve.steps[index] ?? 0) / horizon) * width;
  const base = height - ratio;
  const top = 2 * ratio;

  const reward = scaleOf(curve.rewards, curve.length);
  context.beginPath();
  context.moveTo(x(0), base);
  for (let index = 0; index < curve.length; index++) {
    context.lineTo(x(index), base - reward(curve.rewards[index] ?? 0) * (base - top));
  }
  context.lineTo(x(curve.length - 1), base);
  context.fillStyle = style.getPropertyValue('--curve-area');
  context.fill();

  const sum = scaleOf(curve.returns, curve.length);
  context.beginPath();
  for (let index = 0; index < curve.length; index++) {
    context.lineTo(x(index), base - sum(curve.returns[index] ?? 0) * (base - top));
  }
  context.strokeStyle = style.getPropertyValue('--accent');
  context.lineWidth = 1.5 * ratio;
  context.lineJoin = 'round';
  context.stroke();
}

/** Maps the values that occur, and 0, to 0..1. */
function scaleOf(values: Float32Array, length: number): (value: number) => number {
  let low = 0;
  let high = 0;
  for (let index = 0; index < length; index++) {
    low = Math.min(low, values[index] ?? 0);
    high = Math.max(high, values[index] ?? 0);
  }
  const span = high - low;
  return span > 0 ? (value) => (value - low) / span : () => 0;
}
