import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTrajectoryFiles } from '../../../../server/learning/training-data.ts';
import { temporaryFolder } from '../../../support/live-server.ts';

const root = temporaryFolder();
const REACH = 'metaworld/reach-v3';
const CUP = 'dmcontrol/ball_in_cup-catch';
const FILES = ['metaworld/reach-v3/advised', 'metaworld/reach-v3/expert', 'dmcontrol/ball_in_cup-catch/expert'];

beforeAll(async () => {
  for (const file of FILES) {
    const path = join(root.path, `${file}.safetensors`);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, '');
  }
});
afterAll(() => root.remove());

const found = async (tasks: string[], source?: string): Promise<string[]> =>
  (await findTrajectoryFiles(root.path, tasks, source)).map((path) =>
    relative(root.path, path).replace('.safetensors', ''),
  );

describe('trajectory files of tasks', () => {
  it('are those of one source, of several in the order of their names, or all', async () => {
    expect(await found([REACH, CUP], 'expert')).toEqual([FILES[1], FILES[2]]);
    expect(await found([REACH], 'expert,advised')).toEqual([FILES[0], FILES[1]]);
    expect(await found([REACH, CUP])).toEqual(FILES);
  });

  it('are all there, or it is said which source of which task is not', async () => {
    await expect(found([REACH, CUP], 'expert,advised')).rejects.toMatchObject({
      code: 'L2M_DATA_INVALID',
      message: expect.stringContaining('dmcontrol/ball_in_cup-catch of advised') as string,
    });
    await expect(found(['metaworld/push-v3'], 'expert')).rejects.toMatchObject({
      message: expect.stringContaining('holds no trajectories of metaworld/push-v3') as string,
    });
  });
});
