import { distance } from 'fastest-levenshtein';
import type { TaskId } from '../../protocol/task.ts';
import { AgentError } from '../agent-error.ts';
import { KNOWN_TASKS, TASK_GROUPS } from './groups.ts';

/**
 * Turns what a person writes into task ids, each once, in order: groups (`MT10`), ids (`metaworld/reach-v3`), and the shorter
 * or older names `reach-v3`, `reach-v2`, `reach` and `walker-walk`.
 *
 * @throws AgentError L2M_TASK_UNKNOWN with the nearest name
 */
export function expandTasks(names: readonly string[]): TaskId[] {
  return [...new Set(expandTaskSequence(names))];
}

/** The same with repetitions kept, for orders of learning such as CW20. */
export function expandTaskSequence(names: readonly string[]): TaskId[] {
  return names.flatMap((name) => expandOne(name.trim()));
}

function expandOne(name: string): readonly TaskId[] {
  const group = GROUPS.get(name.toUpperCase());
  if (group !== undefined) return group;
  const task = ALIASES.get(name.toLowerCase());
  if (task !== undefined) return [task];
  throw new AgentError('L2M_TASK_UNKNOWN', `"${name}" (did you mean ${nearestName(name)}?)`);
}

function nearestName(name: string): string {
  const candidates = [...GROUPS.keys(), ...ALIASES.keys()];
  const wanted = name.toLowerCase();
  let best = '';
  let least = Infinity;
  for (const candidate of candidates) {
    const length = distance(candidate.toLowerCase(), wanted);
    if (length < least) {
      least = length;
      best = candidate;
    }
  }
  return ALIASES.get(best) ?? best;
}

const GROUPS: ReadonlyMap<string, readonly TaskId[]> = new Map(Object.entries(TASK_GROUPS));

/** Every accepted spelling. No bare Meta-World name is also one of DMControl, whose names have a domain and a task. */
const ALIASES: ReadonlyMap<string, TaskId> = new Map(
  KNOWN_TASKS.flatMap((task) => spellings(task).map((spelling) => [spelling.toLowerCase(), task] as const)),
);

function spellings(task: TaskId): string[] {
  const name = task.slice(task.indexOf('/') + 1);
  if (!task.startsWith('metaworld/')) return [task, name];
  const bare = name.replace(/-v3$/, '');
  return ['', 'metaworld/'].flatMap((prefix) => [`${prefix}${bare}`, `${prefix}${bare}-v2`, `${prefix}${bare}-v3`]);
}
