import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curveKeyPair } from 'zeromq';
import { afterEach, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../../../server/build-server.ts';
import { pythonOfSetup } from '../../../../server/simulators/python.ts';
import { runL2m } from '../../../support/l2m-command.ts';
import { liveServer, shortRun, temporaryFolder, until } from '../../../support/live-server.ts';

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of clean.splice(0).reverse()) await each();
});

/** Keys made by the command that users run. */
async function keysFor(workers: number): Promise<string> {
  const folder = temporaryFolder();
  clean.push(folder.remove);
  const { exitCode, stdout } = await runL2m(['keys', folder.path, '--workers', String(workers)]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('--curve-secret-file');
  return folder.path;
}

async function encryptedServer(keys: string, workers: number): Promise<LiveServer> {
  const server = await liveServer({ workers, curveKeys: join(keys, 'server.json') });
  clean.push(() => server.close());
  return server;
}

/** A worker as somebody on another machine would start it. */
function remoteWorker(server: LiveServer, keyArguments: readonly string[]): { said: () => string } {
  const worker = spawn(
    pythonOfSetup(),
    ['-m', 'sim_bridge', '--server', server.endpoint, '--worker-id', 'remote', ...keyArguments],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let text = '';
  worker.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  clean.push(() => worker.kill('SIGKILL'));
  return { said: () => text };
}

function publicKeyOf(keys: string): string {
  return (JSON.parse(readFileSync(join(keys, 'server.json'), 'utf8')) as { serverPublicKey: string }).serverPublicKey;
}

describe('a server with CURVE', () => {
  it('runs with its own workers, whose secret only the owner can read', async () => {
    const server = await encryptedServer(await keysFor(1), 1);
    const summary = await (await server.runs.start(shortRun())).over;
    expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 12, errorEpisodes: 0 });
    expect(statSync(join(server.config.data, 'local-workers.secret')).mode & 0o077).toBe(0);
  });

  it('lets in a worker whose key is on the list', async () => {
    const keys = await keysFor(2);
    const server = await encryptedServer(keys, 0);
    const secret = join(keys, 'worker-2.secret');
    remoteWorker(server, ['--curve-server-key', publicKeyOf(keys), '--curve-secret-file', secret]);
    const summary = await (await server.runs.start(shortRun())).over;
    expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 12 });
  });

  it('keeps out unknown keys, other servers’ keys and workers without any', async () => {
    const keys = await keysFor(1);
    const server = await encryptedServer(keys, 0);
    const stranger = join(keys, 'stranger.secret');
    writeFileSync(stranger, curveKeyPair().secretKey);
    remoteWorker(server, ['--curve-server-key', publicKeyOf(keys), '--curve-secret-file', stranger]);
    remoteWorker(server, ['--curve-server-key', curveKeyPair().publicKey, '--curve-secret-file', stranger]);
    remoteWorker(server, []);
    await expect(until('a worker that must not come', () => server.fleet.readyCount > 0, 4000)).rejects.toThrow(
      'in vain',
    );
    // The door is not simply shut.
    remoteWorker(server, [
      '--curve-server-key',
      publicKeyOf(keys),
      '--curve-secret-file',
      join(keys, 'worker-1.secret'),
    ]);
    await until('the worker with the right key', () => server.fleet.readyCount === 1);
  });
});

describe('l2m keys', () => {
  it('never overwrites keys', async () => {
    const keys = await keysFor(1);
    const before = readFileSync(join(keys, 'server.json'), 'utf8');
    const { exitCode, stderr } = await runL2m(['keys', keys]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/server\.json exists already/);
    expect(readFileSync(join(keys, 'server.json'), 'utf8')).toBe(before);
  });
});
