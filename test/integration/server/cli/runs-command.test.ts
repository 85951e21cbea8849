import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runL2m } from '../../../support/l2m-command.ts';
import { liveServer, shortRun, temporaryFolder } from '../../../support/live-server.ts';

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of clean.splice(0).reverse()) await each();
});

describe('l2m runs while a server has the directory open', () => {
  it('asks the server: list, one run, export; with a token where it wants one', async () => {
    const folder = temporaryFolder();
    clean.push(folder.remove);
    const tokens = join(folder.path, 'tokens.json');
    writeFileSync(tokens, JSON.stringify({ viewer: 'v'.repeat(20), operator: 'o'.repeat(20) }));
    const server = await liveServer({ tokens }, { serve: true });
    clean.push(() => server.close());
    const { run } = await (await server.runs.start(shortRun())).over;

    const about = ['--data', server.config.data];
    const refused = await runL2m(['runs', ...about]);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toMatch(/L2M_STORE_BUSY[\s\S]*L2M_TOKEN/);

    const viewer = { L2M_TOKEN: 'v'.repeat(20) };
    expect((await runL2m(['runs', ...about], viewer)).stdout).toContain(run);
    expect((await runL2m(['runs', run, ...about], viewer)).stdout).toContain('dmcontrol/cartpole-balance');
    const file = join(folder.path, 'run.json');
    expect((await runL2m(['runs', run, '--export', file, ...about], viewer)).exitCode).toBe(0);
    expect((JSON.parse(readFileSync(file, 'utf8')) as { episodes: unknown[] }).episodes).toHaveLength(12);
    const unknown = await runL2m(['runs', 'nothing', ...about], viewer);
    expect(unknown.exitCode).not.toBe(0);
    expect(unknown.stderr).toMatch(/L2M_RUN_UNKNOWN.*nothing/);
  });
});
