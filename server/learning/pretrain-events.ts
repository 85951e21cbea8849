/** What a training tells while it runs; plain data, for a progress line, a metrics store or a page. */
export type PretrainEvent =
  | { readonly type: 'preparing'; readonly what: string }
  | {
      readonly type: 'started';
      /** Updates made by an earlier session; 0 for a new training. */
      readonly update: number;
      readonly backend: string;
      readonly parameterCount: number;
      readonly episodes: number;
      readonly transitions: number;
    }
  | PretrainProgress
  | { readonly type: 'saved'; readonly update: number; readonly checkpoint: string }
  /** A checkpoint of its own, whole when this is told; the listener's to remove. */
  | { readonly type: 'snapshot'; readonly update: number; readonly checkpoint: string };

/** Averages since the previous report. */
export interface PretrainProgress {
  readonly type: 'progress';
  readonly update: number;
  /** 0..1 of the budget. */
  readonly progress: number;
  /** Mean cross entropy, in nats a token. */
  readonly loss: number;
  /** On episodes kept back; present where it was measured. */
  readonly heldOutLoss?: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly windowsPerSecond: number;
  /** Of training, over all sessions. */
  readonly elapsedSeconds: number;
  readonly secondsLeft: number;
}

export interface PretrainResult {
  /** `stopped` on request: a later call with `resume` goes on. */
  readonly outcome: 'finished' | 'stopped';
  readonly update: number;
  readonly loss: number;
  readonly heldOutLoss: number | null;
  readonly checkpoint: string;
}
