import type { CheckpointManifest } from '../checkpoints/manifest.ts';
import type { TaskId } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import {
  identityKeysOf,
  PAPER_CONTINUAL,
  PAPER_LEARNING_RATE,
  SMALL_CONTINUAL,
  type ContinualSettings,
} from './continual-options.ts';
import { changedModulation, changesOf, CONTINUAL_METHODS, type ContinualMethod, type MethodName } from './methods.ts';
import { readsPretraining } from './training-material.ts';

/** What a person asked for; the rest comes from the preset, the method and the checkpoint. */
export interface SettingsRequest {
  readonly preset: 'small-machine' | 'paper';
  readonly sequence: readonly TaskId[];
  readonly method: MethodName;
  readonly seed: number;
  readonly changes: Partial<ContinualSettings>;
  /** How many tasks of the pre-training are evaluated, or which. */
  readonly others: number | readonly TaskId[];
}

/**
 * The settings of one continual training.
 * @throws L2mError L2M_CONFIG_INVALID for fitted keys without a pre-training task to fit identity keys to, or a setting that the method ignores
 */
export function settingsFor(request: SettingsRequest, manifest: CheckpointManifest): ContinualSettings {
  const { preset, sequence, method, seed, changes } = request;
  const { penalty, learningRate, fittedKeys }: ContinualMethod = CONTINUAL_METHODS[method];
  const readsOld = readsPretraining({ method, ...(changes.query === undefined ? {} : { query: changes.query }) });
  changedModulation(CONTINUAL_METHODS[method], changesOf(changes));
  const pretraining = [...new Set(manifest.data.map(({ task }) => task))];
  const chosen = typeof request.others === 'number' ? undefined : request.others;
  const identityTasks = pretraining.length > 0 ? pretraining : (chosen ?? []);
  if (readsOld && identityTasks.length === 0) {
    throw new L2mError('L2M_CONFIG_INVALID', `${manifest.name} does not say what it was pre-trained on`, {
      hint: 'Name those tasks with --pretraining-tasks: fitted keys keep what the model can do of them, and tables of queries are theirs.',
    });
  }
  const rest = pretraining.filter((task) => !sequence.includes(task));
  const others = chosen?.filter((task) => !sequence.includes(task)) ?? spread(rest, Number(request.others));
  const defaults = preset === 'paper' ? PAPER_CONTINUAL : SMALL_CONTINUAL;
  const keysPerTask = changes.keysPerTask ?? defaults.keysPerTask;
  return {
    ...defaults,
    learningRate: preset === 'paper' ? PAPER_LEARNING_RATE : learningRate,
    penaltyStrength: penalty?.strength ?? 0,
    identityKeys: identityKeysOf({ identityTasks, keysPerTask }),
    ...(fittedKeys === true ? { byLayout: true } : {}),
    ...changes,
    ...{ sequence, method, seed, others, identityTasks: readsOld ? identityTasks : [] },
  };
}

/** So many of a list, at equal distances. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  const taken = Math.min(count, items.length);
  return Array.from({ length: taken }, (_, i) => items[Math.floor((i * items.length) / taken)]).filter(
    (item): item is Item => item !== undefined,
  );
}
