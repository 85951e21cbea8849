import { LORA_OUT_NAME } from '../../agent/weights/names.ts';
import { readCheckpoint, type Checkpoint } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';
import type { AdaptationOptions } from './adaptation-events.ts';
import type { AdaptationFolder } from './adaptation-folder.ts';
import { checkAdaptationSettings, type AdaptationSettings } from './adaptation-settings.ts';

/**
 * The settings of an adaptation, which is begun unless it is to go on.
 * @throws L2mError L2M_RUN_MISMATCH, L2M_CONFIG_INVALID, L2M_CHECKPOINT_INVALID
 */
export async function openAdaptation(
  folder: AdaptationFolder,
  { settings, resume, overwrite, checkpoint, command }: AdaptationOptions,
): Promise<AdaptationSettings> {
  const found = await folder.read();
  if (resume) {
    if (found === undefined) throw new L2mError('L2M_RUN_MISMATCH', `there is no adaptation called ${folder.name}`);
    return found.settings;
  }
  if (folder.exists() && !overwrite) {
    throw new L2mError('L2M_RUN_MISMATCH', `the adaptation ${folder.name} exists already`, {
      hint: 'Go on with it by --resume, start over by --overwrite, or choose another --name.',
    });
  }
  if (settings === undefined) throw new L2mError('L2M_CONFIG_INVALID', 'an adaptation without settings');
  checkAdaptationSettings(settings);
  assertNothingLearned(await readCheckpoint(checkpoint));
  if (overwrite) await folder.remove();
  await folder.begin(settings, command, checkpoint);
  return settings;
}

/** The pool is replaced by one with a row of its own for the task: what an earlier one has learned would be lost. */
function assertNothingLearned({ folder, manifest, arrays }: Checkpoint): void {
  const { kind } = manifest.modulation;
  if (kind === 'none') return;
  const rows = arrays.get(LORA_OUT_NAME)?.data;
  if (kind === 'lora' && rows?.every((value) => value === 0) === true) return;
  throw new L2mError(
    'L2M_CHECKPOINT_INVALID',
    `the pool of ${folder} has learned something, which adapting would drop`,
    {
      hint: 'Start from the checkpoint it was learned on, or learn several tasks with `npx l2m continual`.',
    },
  );
}
