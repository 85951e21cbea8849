import { MODEL_PRESETS } from '../../agent/config.ts';
import { PAPER_PRETRAINING_SETTINGS, SMALL_PRETRAINING, type PretrainSettings } from './pretrain-options.ts';

/** Past actions are hidden: of all that helps this helps most (agent/checkpoints/README.md). */
const TINY = { ...SMALL_PRETRAINING, model: { ...MODEL_PRESETS.tiny, pastActions: 'hidden' } } as const;

/**
 * Settings by size. `paper` is the paper's (spec §5.4, 44.5 M parameters). The others have what helps on a small machine, with a rate
 * that falls with the width, as wide models diverge at rates that suit narrow ones; 1.1, 3.0 and 13.9 M parameters.
 */
export const PRETRAIN_PRESETS = {
  tiny: TINY,
  small: { ...TINY, model: { ...TINY.model, ...MODEL_PRESETS.small }, learningRate: 6e-4 },
  medium: { ...TINY, model: { ...TINY.model, ...MODEL_PRESETS.medium }, learningRate: 3e-4, batchSize: 256 },
  paper: PAPER_PRETRAINING_SETTINGS,
  /** The former name of `tiny`. */
  'small-machine': TINY,
} as const satisfies Record<string, Omit<PretrainSettings, 'files'>>;
export type PretrainPreset = keyof typeof PRETRAIN_PRESETS;
