import type { StandardisationTable } from '../../agent/config.ts';
import type { LearningTask } from './learning-task.ts';

/**
 * Mean and deviation of every unified dimension over all transitions of some tasks of one domain, zeros of unused slots
 * included: that is what the policy sees. One pass a dimension in double precision, so equal data give an equal table.
 *
 * @param stateSize S, length of the unified vector
 */
export function standardisationTable(tasks: readonly LearningTask[], stateSize: number): StandardisationTable {
  const sum = new Float64Array(stateSize);
  const squares = new Float64Array(stateSize);
  let count = 0;
  for (const { trajectories, stateIndices } of tasks) {
    const { observations, transitionCount } = trajectories;
    const width = stateIndices.length;
    count += transitionCount;
    for (let column = 0; column < width; column++) {
      let columnSum = 0;
      let columnSquares = 0;
      for (let at = column; at < observations.length; at += width) {
        const value = observations[at] ?? 0;
        columnSum += value;
        columnSquares += value * value;
      }
      const index = stateIndices[column] ?? 0;
      sum[index] = (sum[index] ?? 0) + columnSum;
      squares[index] = (squares[index] ?? 0) + columnSquares;
    }
  }
  const mean = Array.from(sum, (total) => total / Math.max(count, 1));
  const deviation = Array.from(squares, (total, i) =>
    Math.sqrt(Math.max(0, total / Math.max(count, 1) - (mean[i] ?? 0) ** 2)),
  );
  return { mean, deviation };
}
