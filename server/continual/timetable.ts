/** When what happens in a continual training (spec §5.5). Updates are counted over the whole sequence. */
export interface Timetable {
  /** Tasks of the sequence, repetitions counted. */
  readonly tasks: number;
  readonly stepsPerTask: number;
  /** Updates between two evaluations; the end of each task is evaluated in any case. */
  readonly evaluateEvery: number;
}

export function totalUpdates({ tasks, stepsPerTask }: Timetable): number {
  return tasks * stepsPerTask;
}

/** Place in the sequence of the task that the next update learns, from 0. */
export function taskAfter({ stepsPerTask }: Timetable, updates: number): number {
  return Math.floor(updates / stepsPerTask);
}

/** Stage of an evaluation: 0 before the first update; one at a switch of tasks still counts for the task that ends. */
export function stageAfter({ stepsPerTask }: Timetable, updates: number): number {
  return Math.ceil(updates / stepsPerTask);
}

/** Whether an evaluation follows this many updates. */
export function evaluatesAfter({ stepsPerTask, evaluateEvery }: Timetable, updates: number): boolean {
  return updates % evaluateEvery === 0 || updates % stepsPerTask === 0;
}

/** After how many updates the sequence is evaluated, in order; the first time before the first update. */
export function evaluationTimes(timetable: Timetable): number[] {
  const times: number[] = [];
  for (let updates = 0; updates <= totalUpdates(timetable); updates++) {
    if (evaluatesAfter(timetable, updates)) times.push(updates);
  }
  return times;
}
