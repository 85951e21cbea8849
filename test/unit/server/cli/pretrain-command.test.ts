import { expect, test } from 'vitest';
import { checkPretrainOptions, type PretrainOptions } from '../../../../server/learning/pretrain-options.ts';
import { PRETRAIN_PRESETS } from '../../../../server/learning/pretrain-presets.ts';
import { runL2m } from '../../../support/l2m-command.ts';

test.each(Object.keys(PRETRAIN_PRESETS) as (keyof typeof PRETRAIN_PRESETS)[])(
  'the preset %s is one that can be trained',
  (name) => {
    const options = { ...PRETRAIN_PRESETS[name], files: ['somewhere'] } as unknown as PretrainOptions;
    expect(() => checkPretrainOptions(options)).not.toThrow();
  },
);

test('presets grow, and the wider learn more slowly', () => {
  const { tiny, small, medium, paper } = PRETRAIN_PRESETS;
  const each = [tiny, small, medium, paper];
  expect(each.map(({ model }) => model.width)).toEqual([128, 256, 512, 768]);
  expect(each.map(({ learningRate }) => learningRate)).toEqual([1e-3, 6e-4, 3e-4, 1e-4]);
});

test('patience without evaluations is refused, with what to add', async () => {
  const refused = await runL2m(['pretrain', '--patience', '3']);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toMatch(/L2M_CONFIG_INVALID.*--patience without --evaluate-every/);
}, 60_000);
