import { join } from 'node:path';
import type { PretrainEvent, PretrainResult } from './pretrain-events.ts';
import { checkPretrainOptions, type PretrainOptions } from './pretrain-options.ts';
import { runTrainer, type TrainerHooks } from './trainer-host.ts';

/**
 * Pre-trains in a process of its own. Output of the tensor library goes to `trainer.log` in the training folder. Aborting saves a state, writes
 * the checkpoint and resolves with outcome `stopped`.
 *
 * @throws L2mError of the trainer; L2M_AGENT_LOST if it died, whose last saved state can be resumed
 */
export async function pretrain(
  options: PretrainOptions,
  hooks: TrainerHooks<PretrainEvent> = {},
): Promise<PretrainResult> {
  checkPretrainOptions(options);
  return runTrainer<PretrainOptions, PretrainEvent, PretrainResult>(
    { entry: new URL('./trainer.ts', import.meta.url), options, logPath: join(options.trainingFolder, 'trainer.log') },
    hooks,
  );
}
