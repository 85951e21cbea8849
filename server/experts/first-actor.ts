import { domainOf, taskName, type TaskId } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import { readExpert } from './expert-file.ts';
import type { ExpertOptions } from './expert-options.ts';
import { shippedExpert } from './find-expert.ts';

/** What a training takes from the expert it begins with. */
export type FirstActor = Pick<ExpertOptions, 'hidden' | 'actionRepeat'> &
  Required<Pick<ExpertOptions, 'start' | 'firstActor'>>;

export interface FirstActorRequest {
  /** `shipped`, or the file of an expert. */
  readonly from: string;
  /** Updates that leave the actor as it was. */
  readonly criticUpdates: number;
  /** Widths that were asked for; the file's own if absent. */
  readonly hidden?: readonly number[];
}

/**
 * The actor a training begins with, of any task of the same robot; whether it fits what the task shows is seen when simulators describe it.
 * @throws L2mError L2M_CHECKPOINT_INVALID for a file that is no expert, L2M_CONFIG_INVALID for another robot's or other widths than asked for
 */
export async function readFirstActor(task: TaskId, request: FirstActorRequest): Promise<FirstActor> {
  const { from, criticUpdates, hidden } = request;
  const { about, actor, sha256 } = await readExpert(from === 'shipped' ? shippedExpert(task) : from);
  if (modelOf(about.task) !== modelOf(task)) {
    throw new L2mError('L2M_CONFIG_INVALID', `${from} is an expert of ${about.task}, not of ${task}`, {
      hint: 'Tasks of one robot share what they show and what they take; others do not.',
    });
  }
  const own = about.shape.hidden;
  if (hidden !== undefined && hidden.join() !== own.join()) {
    throw new L2mError('L2M_CONFIG_INVALID', `--hidden ${hidden.join()} for an actor of ${own.join()}`, {
      hint: 'Leave --hidden out.',
    });
  }
  return { hidden: own, actionRepeat: about.actionRepeat, start: { sha256, criticUpdates }, firstActor: actor };
}

/** `dmcontrol/finger` of `dmcontrol/finger-turn_easy`. */
function modelOf(task: TaskId): string {
  return `${domainOf(task)}/${taskName(task).split('-')[0] ?? ''}`;
}
