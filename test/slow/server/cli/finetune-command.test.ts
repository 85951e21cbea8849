import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runL2m } from '../../../support/l2m-command.ts';
import { temporaryFolder } from '../../../support/live-server.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';

const SAMPLE = new URL('../../../golden/learning', import.meta.url).pathname;
const folder = temporaryFolder();
const checkpoint = join(folder.path, 'checkpoint');
beforeAll(() => writeRandomCheckpoint(checkpoint));
afterAll(() => folder.remove());

const finetune = (...args: string[]) => runL2m(['finetune', '--data', folder.path, ...args]);

describe('l2m finetune', { timeout: 400_000 }, () => {
  it('learns one task by any method, prints the matrix and the scores, and leaves a folder to look into', async () => {
    const [json, picture] = [join(folder.path, 'result.json'), join(folder.path, 'matrix.svg')];
    const { exitCode, stdout, stderr } = await finetune(
      ...['--task', 'reach', '--method', 'l2m-lora', '--rank', '2', '--pool-size', '4', '--checkpoint', checkpoint],
      ...['--steps-per-task', '4', '--batch', '8', '--episodes', '1', '--horizon', '5', '--trajectories', SAMPLE],
      ...[
        '--pretraining-tasks',
        'drawer-open',
        '--workers',
        '1',
        '--environments',
        '2',
        '--threads',
        '1',
        '--json',
        json,
        '--picture',
        picture,
      ],
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/task +before +1 \n/);
    expect(stdout).toMatch(/metaworld\/reach-v3 +\d\/1 +\d\/1/);
    expect(stdout).toMatch(/metaworld\/drawer-open-v3 \(pre-training\)/);
    expect(stdout).toMatch(/success at any time: average [01]\.000, forgetting/);
    const run = join(folder.path, 'continual', 'finetune-reach-l2m-lora-42');
    expect(stdout).toContain(run);
    // What was changed for the sake of comparison is in the folder and in every manifest.
    const { settings } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as { settings: object };
    expect(settings).toMatchObject({ sequence: ['metaworld/reach-v3'], stepsPerTask: 4, rank: 2, poolSize: 4 });
    const manifest = JSON.parse(readFileSync(join(run, 'snapshots', '000000004', 'manifest.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({ modulation: { kind: 'lora', rank: 2, scaling: 8, poolSize: 4, keyCount: 4 } });
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ outcome: 'finished' });
    expect(readFileSync(picture, 'utf8')).toMatch(/^<svg .*finetune-reach-l2m-lora-42: l2m-lora, seed 42/);

    const pool = await runL2m(['pool', 'finetune-reach-l2m-lora-42', '--data', folder.path]);
    expect(pool.exitCode, pool.stderr).toBe(0);
    expect(pool.stdout).toMatch(/belongs to/);
  });

  it.each([
    [[], /no --task/],
    [['--task', 'reach,hammer'], /--task reach,hammer is 2 tasks/],
    [['--task', 'reach', '--method', 'loora'], /Did you mean lora/],
    [['--task', 'reach', '--method', 'full', '--rank', '4'], /--rank for a method that has no such thing/],
    [['--task', 'reach', '--method', 'lora', '--query', 'features'], /--query for a method that has no such thing/],
  ])('refuses %j with a message that helps', async (args, message) => {
    const { exitCode, stderr } = await finetune('--checkpoint', checkpoint, ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});
