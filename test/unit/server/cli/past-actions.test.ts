import { describe, expect, it } from 'vitest';
import { MODEL_PRESETS } from '../../../../agent/config.ts';
import { shippedCheckpoint } from '../../../../server/cli/default-checkpoint.ts';
import { withPastActions } from '../../../../server/cli/past-actions.ts';
import { PRETRAIN_PRESETS } from '../../../../server/learning/pretrain-presets.ts';

const seeing = MODEL_PRESETS.small;
const hidden = { ...seeing, pastActions: 'hidden' } as const;

describe('whether a model in pre-training sees past actions', () => {
  it('is what its preset says: not, but for the paper', async () => {
    for (const preset of ['tiny', 'small', 'medium'] as const) {
      expect(await withPastActions(PRETRAIN_PRESETS[preset].model, {})).toMatchObject({ pastActions: 'hidden' });
    }
    expect(await withPastActions(PRETRAIN_PRESETS.paper.model, {})).not.toHaveProperty('pastActions');
  });

  it('is what was asked for, whatever the preset says, and not both', async () => {
    expect(await withPastActions(seeing, { hidePastActions: true })).toEqual(hidden);
    expect(await withPastActions(hidden, { showPastActions: true })).toEqual(seeing);
    const both = withPastActions(hidden, { showPastActions: true, hidePastActions: true });
    await expect(both).rejects.toMatchObject({ code: 'L2M_CONFIG_INVALID' });
  });

  it('is what the model it starts from has learned with, unless something else was asked for', async () => {
    const [joint, mt10] = [shippedCheckpoint('joint'), shippedCheckpoint('mt10')];
    expect(await withPastActions(seeing, { from: joint })).toEqual(hidden);
    expect(await withPastActions(hidden, { from: mt10 })).toEqual(seeing);
    expect(await withPastActions(hidden, { from: mt10, hidePastActions: true })).toEqual(hidden);
    expect(await withPastActions(seeing, { from: joint, showPastActions: true })).toEqual(seeing);
  });
});
