import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { AdaptationResult } from '../../../../server/adaptation/adaptation-events.ts';
import { SMALL_ADAPTATION, type AdaptationSettings } from '../../../../server/adaptation/adaptation-settings.ts';
import type { RoundRow } from '../../../../server/adaptation/journal.ts';
import { reportComparison } from '../../../../server/adaptation/report.ts';
import { AdaptationFolder } from '../../../../server/adaptation/adaptation-folder.ts';
import { addAdaptFlags, adaptSettings, type AdaptFlags } from '../../../../server/cli/adapt-flags.ts';
import { adaptTable } from '../../../../server/cli/adapt-table.ts';
import type { ScoredEpisode } from '../../../../server/store/records.ts';

function flagsOf(...words: string[]): AdaptFlags {
  return addAdaptFlags(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parse(words, { from: 'user' })
    .opts<AdaptFlags>();
}

describe('flags of l2m adapt', () => {
  it('hold the pre-training of the checkpoint but for the task itself', async () => {
    const settings = await adaptSettings(flagsOf('--task', 'pick-place-v3', '--noise', '0,0.2', '--pairs', '30'));
    expect(settings).toMatchObject({
      task: 'metaworld/pick-place-v3',
      noises: [0, 0.2],
      temperatures: [1, 1.5],
      success: 'any-time',
      horizon: null,
    });
    expect((await adaptSettings(flagsOf('--task', 'reach-v3', '--temperature', '0'))).temperatures).toEqual([]);
    expect(settings.test).toEqual({ ...SMALL_ADAPTATION.test, maxPairs: 30 });
    expect(settings.identityTasks).toHaveLength(49);
    expect(settings.identityTasks).not.toContain('metaworld/pick-place-v3');
    expect(settings.others).toHaveLength(3);
  });

  it('learn what comes after success where success at the end is wanted', async () => {
    const weights = ['any-time', 'at-end'].map(async (success) => {
      const settings = await adaptSettings(flagsOf('--task', 'reach-v3', '--success', success));
      return settings.afterSuccessWeight;
    });
    expect(await Promise.all(weights)).toEqual([0.25, 1]);
  });

  it('are refused without one task, and with words that mean nothing', async () => {
    await expect(adaptSettings(flagsOf())).rejects.toMatchObject({ code: 'L2M_CONFIG_INVALID' });
    await expect(adaptSettings(flagsOf('--task', 'MT10'))).rejects.toMatchObject({ code: 'L2M_CONFIG_INVALID' });
    expect(() => flagsOf('--success', 'often')).toThrow(/any-time/);
  });
});

describe('the table of an adaptation', () => {
  const task = 'metaworld/faucet-close-v3';
  const episodes = (successes: number, of: number): ScoredEpisode[] =>
    Array.from({ length: of }, (_, start) => ({
      ...{ task, start, attempt: 1, length: 10, return: 5, successAtEnd: start < successes },
      ...{ outcome: start < successes ? 'success' : 'failure', firstSuccessStep: start < successes ? 3 : null },
    }));
  const row: RoundRow = {
    ...{ round: 1, version: 0, episodes: 40, starts: 30, solved: 20, solvedAtOnce: 12, meanReturn: 3, kept: 20 },
    ...{ learnedFrom: 20, updates: 150, loss: 2, frozenSha256: 'a', poolSha256: 'b', gained: 7, lost: 2, tied: 11 },
    decision: 'promoted',
  };

  it('shows rounds, rates before and after with intervals, and what was promoted', () => {
    const comparison = reportComparison(new AdaptationFolder('/x/faucet'), [0, 1], [episodes(4, 20), episodes(12, 20)]);
    const settings = { task, success: 'any-time' } as AdaptationSettings;
    const result: AdaptationResult = {
      ...{ outcome: 'finished', settings, rows: [row], version: 1, checkpoint: '/x', comparison },
    };
    const text = adaptTable(result);
    expect(text).toMatch(/1 +0 +12\/30 +20\/30 +20 +20 +150 +7 +2 +11 +promoted/);
    expect(text).toMatch(
      /faucet-close-v3 +4\/20 +20\.0 % \[8\.1, 41\.6\] +12\/20 +60\.0 % \[38\.7, 78\.1\] +8 +0 +0\.008/,
    );
    expect(text).toContain('1 versions promoted, 0 rolled back; version 1 acts');
  });
});
