import { existsSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { hashInputs } from './input-hash.mjs';
import { paths } from './paths.mjs';

/** @type {import('./stage.mjs').Stage} */
export const dashboardBuild = {
  name: 'web page',
  id: 'dashboard-build',
  key: () => hashInputs({ files: ['package-lock.json'], folders: ['dashboards', 'protocol'] }),
  isIntact: () => existsSync(path.join(paths.root, 'dashboards/dist/index.html')),
  async make() {
    const vite = path.join(paths.nodeModules, 'vite/bin/vite.js');
    await runCommand(process.execPath, [vite, 'build', 'dashboards'], { log: 'dashboard-build' });
  },
  advice: 'see the messages above: `npx vite build dashboards` shows them again',
};
