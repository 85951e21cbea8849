import type { PretrainProgress } from '../learning/pretrain-events.ts';
import { durationText } from './progress-line.ts';

/** `update 1200, 31 %, loss 1.2031, rate 9.6e-4, 612 windows/s, 27 min 10 s left` */
export function progressText(event: PretrainProgress): string {
  const held = event.heldOutLoss === undefined ? '' : ` (held out ${event.heldOutLoss.toFixed(4)})`;
  return [
    `update ${event.update}`,
    `${Math.round(100 * event.progress)} %`,
    `loss ${event.loss.toFixed(4)}${held}`,
    `rate ${event.learningRate.toExponential(1)}`,
    `${event.windowsPerSecond.toFixed(0)} windows/s`,
    `${durationText(event.secondsLeft)} left`,
  ].join(', ');
}
