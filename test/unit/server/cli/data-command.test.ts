import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallEpisode, smallWriter } from '../../../support/data-sets.ts';
import { runL2m } from '../../../support/l2m-command.ts';

let data = '';
let path = '';
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'l2m-data-command-'));
  const writer = await smallWriter(join(data, 'trajectories'), 'metaworld/reach-v3');
  for (const start of [0, 1, 2]) await writer.append(smallEpisode(start, { successAt: start }));
  ({ path } = await writer.finish());
});
afterAll(() => rm(data, { recursive: true, force: true }));

test('l2m data lists, as a table and as JSON, and verifies with an exit code', async () => {
  const list = await runL2m(['data', '--data', data, '--details']);
  expect(list.stdout).toMatch(/metaworld\/reach-v3 +expert +3 +12 +100 % +0 %/);
  expect(list.stdout).toMatch(/sha256 [0-9a-f]{64}/);
  const json = await runL2m(['data', 'list', '--json', '--tasks', 'reach', '--data', data]);
  expect(JSON.parse(json.stdout)).toMatchObject([{ task: 'metaworld/reach-v3', episodes: 3 }]);
  expect(await runL2m(['data', 'verify', '--data', data])).toMatchObject({ exitCode: 0 });
  await appendFile(path, 'more');
  const broken = await runL2m(['data', 'verify', '--data', data]);
  expect(broken.exitCode).toBe(1);
  expect(broken.stdout).toMatch(/BROKEN metaworld\/reach-v3 of expert[\s\S]*expert\.safetensors/);
  const nothing = await runL2m(['data', '--data', data, '--tasks', 'push']);
  expect(nothing.exitCode).not.toBe(0);
  expect(nothing.stderr).toContain('L2M_DATA_INVALID');
}, 60_000);
