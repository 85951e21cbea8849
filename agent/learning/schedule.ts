/** Learning rate by micro-step (spec §5.4): linear warm-up, then a cosine down to the final rate. */
export interface LearningRateSchedule {
  readonly peak: number;
  readonly final: number;
  readonly warmUpSteps: number;
  /** Steps from the end of the warm-up to the final rate; null keeps the peak for ever. */
  readonly decaySteps: number | null;
}

/** The reference's pre-training (spec §5.4). */
export const PAPER_PRETRAINING: LearningRateSchedule = {
  peak: 1e-4,
  final: 1e-6,
  warmUpSteps: 4000,
  decaySteps: 1_000_000,
};

/** The reference's fine-tuning: no warm-up, constant (spec §4). */
export const PAPER_FINE_TUNING: LearningRateSchedule = { peak: 1e-4, final: 1e-4, warmUpSteps: 0, decaySteps: null };

/**
 * @param step 0, 1, …
 * @returns the learning rate of that step
 */
export function learningRateAt(schedule: LearningRateSchedule, step: number): number {
  const { peak, final, warmUpSteps, decaySteps } = schedule;
  if (step < warmUpSteps) return (peak * (step + 1)) / warmUpSteps;
  if (decaySteps === null) return peak;
  const progress = Math.min(1, (step - warmUpSteps) / decaySteps);
  return final + ((peak - final) * (1 + Math.cos(Math.PI * progress))) / 2;
}

/**
 * The batches of the n-th update, n = 0, 1, …, as the reference counts them: an update follows batch 0 and then every `accumulate` batches, so the
 * first has one batch alone (spec §5.4).
 *
 * @returns number of its first batch, how many it has, and the micro-step whose learning rate it uses
 */
export function referenceBatches(update: number, accumulate: number): { first: number; count: number; tick: number } {
  if (update === 0) return { first: 0, count: 1, tick: 0 };
  return { first: 1 + (update - 1) * accumulate, count: accumulate, tick: update * accumulate };
}
