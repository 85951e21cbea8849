import type { ModelConfig } from '../../agent/config.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';

/** What says whether a model sees the actions of earlier steps. */
export interface PastActionFlags {
  readonly hidePastActions?: boolean;
  readonly showPastActions?: boolean;
  /** Folder of the checkpoint that a training starts from. */
  readonly from?: string;
}

/**
 * The model with past actions shown or hidden: as was asked for, else as the model to start from has it, else as it is.
 * @throws L2mError L2M_CONFIG_INVALID where both are asked for, L2M_CHECKPOINT_INVALID for a checkpoint that cannot be read
 */
export async function withPastActions(
  { pastActions, ...model }: ModelConfig,
  { hidePastActions = false, showPastActions = false, from }: PastActionFlags,
): Promise<ModelConfig> {
  if (hidePastActions && showPastActions) {
    throw new L2mError('L2M_CONFIG_INVALID', 'both --hide-past-actions and --show-past-actions are given', {
      hint: 'Give one of them.',
    });
  }
  if (hidePastActions) return { ...model, pastActions: 'hidden' };
  if (showPastActions) return model;
  const found = from === undefined ? pastActions : (await readManifest(from)).model.pastActions;
  return found === undefined ? model : { ...model, pastActions: found };
}
