import type { TaskId } from '../../protocol/task.ts';

/** What the trainer of a continual training tells while it runs; plain data. */
export type ContinualEvent =
  | { readonly type: 'preparing'; readonly what: string }
  | { readonly type: 'started'; readonly update: number; readonly backend: string; readonly parameterCount: number }
  | { readonly type: 'task'; readonly position: number; readonly task: TaskId | null }
  /** A checkpoint to be evaluated is on the disk. */
  | { readonly type: 'snapshot'; readonly update: number }
  | ContinualProgress
  | { readonly type: 'saved'; readonly update: number };

/** Averages since the previous report. */
export interface ContinualProgress {
  readonly type: 'progress';
  readonly update: number;
  /** Place in the sequence, from 0. */
  readonly position: number;
  /** Mean cross entropy, in nats a token. */
  readonly loss: number;
  /** What earlier tasks add to the loss. */
  readonly penalty: number;
  /** Mean cosine to the selected keys; 0 without a pool. */
  readonly similarity: number;
  readonly gradientNorm: number;
  readonly updatesPerSecond: number;
  /** Of training, over all sessions. */
  readonly elapsedSeconds: number;
  readonly secondsLeft: number;
}

export interface TrainerResult {
  readonly outcome: 'finished' | 'stopped';
  readonly update: number;
  readonly elapsedSeconds: number;
  readonly parameterCount: number;
}
