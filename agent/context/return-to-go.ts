/**
 * The desired return that is left after a step; a negative reward never raises it above where it started (spec §6.3). In single
 * precision, as the reference keeps it.
 *
 * @param current and initial are scaled; `scaledReward` is the step's reward divided by the same scale
 */
export function nextReturnToGo(current: number, scaledReward: number, initial: number): number {
  return Math.min(Math.fround(current - scaledReward), initial);
}
