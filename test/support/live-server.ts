import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildServer, type BuildOptions, type LiveServer } from '../../server/build-server.ts';
import type { ServerConfig } from '../../server/config-schema.ts';
import { loadConfig } from '../../server/config.ts';
import type { RunRequest } from '../../server/rollouts/run-request.ts';

/** A new folder that is removed when the test's `close` runs. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'l2m-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A whole server in this process, with real simulator workers and its own data directory. */
export async function liveServer(
  settings: Partial<ServerConfig> = {},
  options: Partial<BuildOptions> = {},
): Promise<LiveServer & { readonly notes: string[] }> {
  const folder = temporaryFolder();
  const notes: string[] = [];
  const flags = { data: folder.path, port: 0, workers: 1, environments: 4, threads: 1, ...settings };
  const config = loadConfig({ flags, environment: {}, file: undefined });
  const server = await buildServer(config, { serve: false, note: (text) => notes.push(text), ...options });
  return {
    ...server,
    notes,
    close: async () => {
      await server.close();
      folder.remove();
    },
  };
}

/** A short evaluation: cheap tasks, few steps. */
export function shortRun(changes: Partial<RunRequest> = {}): RunRequest {
  return {
    kind: 'evaluate',
    tasks: ['dmcontrol/cartpole-balance', 'dmcontrol/pendulum-swingup'],
    episodes: 6,
    protocol: 'l2m-paper',
    seed: 7,
    policy: { kind: 'random' },
    firstStart: 0,
    horizon: 40,
    ...changes,
  };
}

/** Waits until a condition holds. @throws after `deadlineMs`, naming what it waited for */
export async function until(what: string, holds: () => boolean, deadlineMs = 30_000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
