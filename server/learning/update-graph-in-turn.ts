import { mostDimensions, type LearningTask } from './learning-task.ts';
import { compileUpdate, type UpdateGraph, type UpdateGraphOptions } from './update-graph.ts';

/**
 * Compiles the update for batches of groups of tasks in turn, as `tasksInTurn` orders them: one graph a group where their widest actions
 * differ, so that a batch of four dimensions does not pay for six. Which graph an update runs follows from its number.
 */
export function updateGraphInTurn(
  groups: readonly (readonly Pick<LearningTask, 'actionSize'>[])[],
  options: Omit<UpdateGraphOptions, 'actionDimensions'>,
): UpdateGraph {
  const widths = groups.map(mostDimensions);
  const widest = Math.max(...widths);
  // Batches of one update share a graph.
  const narrower = options.accumulate === 1 && widths.some((width) => width < widest);
  const graphs = (narrower ? widths : [widest]).map((actionDimensions) =>
    compileUpdate({ ...options, actionDimensions }),
  );
  const graphOf = (number: number): UpdateGraph => {
    const graph = graphs[(number - 1) % graphs.length];
    if (graph === undefined) throw new RangeError(`update ${number} has no graph`);
    return graph;
  };
  return {
    form: graphOf(1).form,
    run: (tensors, update, nextBatch) => graphOf(update.number).run(tensors, update, nextBatch),
    dispose: () => {
      for (const graph of graphs) graph.dispose();
    },
  };
}
