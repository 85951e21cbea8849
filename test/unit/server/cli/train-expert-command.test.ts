import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addTrainExpertCommand, progressText } from '../../../../server/cli/train-expert-command.ts';

async function failureOf(...args: string[]): Promise<unknown> {
  const program = new Command('l2m').exitOverride().configureOutput({ writeErr: () => undefined });
  addTrainExpertCommand(program, { exitCode: 0 });
  return program.parseAsync(['node', 'l2m', 'train-expert', ...args]).then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe('l2m train-expert', () => {
  it.each([['metaworld/reach-v3'], ['MT10']])('refuses %s before anything starts', async (task) => {
    expect(await failureOf('--task', task)).toMatchObject({ code: 'L2M_TASK_UNSUPPORTED' });
  });

  it('refuses unknown tasks and impossible numbers', async () => {
    expect(await failureOf('--task', 'cartpole-swingupp')).toMatchObject({ code: 'L2M_TASK_UNKNOWN' });
    expect(await failureOf('--task', 'cartpole-swingup', '--parallel', '0')).toMatchObject({
      code: 'commander.invalidArgument',
    });
  });

  it('says how far it is', () => {
    const progress = { steps: 24_000, totalSteps: 500_000, updates: 22_500, updatesPerSecond: 61.4 };
    const evaluation = {
      ...{ steps: 20_000, updates: 19_000, meanReturn: 812.44, normalizedScore: 0.9, episodes: 10 },
      ...{ updatesPerSecond: 60, temperature: 0.1, criticLoss: 0.2 },
    };
    expect(progressText({ ...progress, evaluation, secondsLeft: 7800 })).toBe(
      '24000/500000 steps, 22500 updates, 61 updates/s, return 812.4 after 20000 steps, 2 h 10 min left',
    );
    expect(progressText({ ...progress, updatesPerSecond: 0, evaluation: undefined, secondsLeft: null })).toBe(
      '24000/500000 steps, 22500 updates, time left unknown',
    );
  });
});
