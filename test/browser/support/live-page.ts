import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';
import { createPageHub, type PageHub, type PageHubOptions } from '../../../server/live/page-hub.ts';
import { sceneRoutes } from '../../../server/live/scene-routes.ts';
import { SceneStore } from '../../../server/live/scenes.ts';

const root = new URL('../../../', import.meta.url).pathname;
const dist = join(root, 'dashboards/dist');

export interface LivePage {
  readonly hub: PageHub;
  readonly scenes: SceneStore;
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The built page behind a real server; what the hub is told is up to the test. */
export async function servePage(options: Partial<PageHubOptions> & { readonly port?: number } = {}): Promise<LivePage> {
  buildPage();
  const directory = await mkdtemp(join(tmpdir(), 'l2m-page-'));
  const scenes = new SceneStore(directory);
  const app = Fastify({ forceCloseConnections: true });
  await app.register(fastifyStatic, { root: dist });
  await app.register(sceneRoutes, { scenes });
  // What the page asks of the HTTP API; a server that plays recorded scenes has nothing in its store.
  app.get('/api/runs', () => ({ total: 0, runs: [] }));
  app.get('/api/runs/:run/recordings', () => ({ total: 0, bytes: 0, recordings: [] }));
  const hub = createPageHub({ onControl: () => ({ ok: true, value: undefined }), ...options });
  hub.attach(app.server);
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    hub,
    scenes,
    port,
    url: `http://127.0.0.1:${port}/`,
    close: async () => {
      await hub.close();
      await app.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** Builds the page unless what is there is newer than every source file. */
export function buildPage(): void {
  const built = join(dist, 'index.html');
  const sources = [join(root, 'dashboards'), join(root, 'protocol')];
  const newest = Math.max(...sources.map(newestChange));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  // A test's NODE_ENV would make a page for developers: a tenth heavier, and not what people get.
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', 'dashboards'], {
    cwd: root,
    env,
  });
}

function newestChange(directory: string): number {
  let newest = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'generated') continue;
    const path = join(directory, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestChange(path) : statSync(path).mtimeMs);
  }
  return newest;
}
