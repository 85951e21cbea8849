const METAWORLD = ['x', 'y', 'z', 'gripper'] as const;

/** What a dimension of an action moves; only Meta-World's have names. @param dimension from 0 */
export function actionName(task: string, dimension: number): string {
  const name = task.startsWith('metaworld/') ? METAWORLD[dimension] : undefined;
  return name ?? `a${dimension + 1}`;
}
