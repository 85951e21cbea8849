import type { LearnerReport } from './learner-messages.ts';

/** Where a training stands when it is looked at. */
export interface LivePoint {
  readonly steps: number;
  /** Undefined until the learner has told something. */
  readonly report: Pick<LearnerReport, 'figures' | 'updatesPerSecond'> | undefined;
}

/**
 * How a training does between its evaluations: losses, updates/s, and the mean return of the episodes that ended since it was last looked at,
 * with all the chance of exploring in them. Nothing that learns depends on it.
 */
export class LiveCurve {
  readonly #look: () => LivePoint;
  readonly #record: (steps: number, values: Readonly<Record<string, number>>) => Promise<void>;
  #returns: number[] = [];
  #recordedSteps = 0;

  constructor(
    look: () => LivePoint,
    record: (steps: number, values: Readonly<Record<string, number>>) => Promise<void>,
  ) {
    this.#look = look;
    this.#record = record;
  }

  /** @param rewards of a training episode */
  ended(rewards: Float32Array): void {
    this.#returns.push(rewards.reduce((sum, reward) => sum + reward, 0));
  }

  /** Records a point, unless nothing was learned since the one before, as while it is evaluated. */
  async point(): Promise<void> {
    const { steps, report } = this.#look();
    if (report === undefined || steps <= this.#recordedSteps) return;
    this.#recordedSteps = steps;
    const returns = this.#returns.splice(0);
    const { updatesPerSecond, figures } = report;
    await this.#record(steps, {
      ...(returns.length === 0 ? {} : { trainingReturn: returns.reduce((a, b) => a + b, 0) / returns.length }),
      ...{ updatesPerSecond, ...figures },
    });
  }
}
