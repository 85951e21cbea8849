import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { findProgram } from './find-tools.mjs';
import { hashInputs } from './input-hash.mjs';
import { paths } from './paths.mjs';

/** @type {import('./stage.mjs').Stage} */
export const nodeModules = {
  name: 'npm packages',
  id: 'node-modules',
  key: () => hashInputs({ words: [process.platform, process.arch], files: ['package-lock.json'] }),
  isIntact: () => missingPackages(paths.root).length === 0,
  async make(say) {
    // Also true when somebody ran `npm ci` or `npm install` by hand: nothing to do, and nothing to take away from under them.
    if (missingPackages(paths.root).length === 0) return 'already installed';
    say('npm ci');
    const npm = process.env['npm_execpath'];
    const [command, before] =
      npm !== undefined && /\.c?js$/.test(npm) ? [process.execPath, [npm]] : [findProgram(['npm']) ?? 'npm', []];
    await runCommand(command, [...before, 'ci', '--no-audit', '--no-fund', '--prefer-offline'], { log: 'npm-ci' });
    const missing = missingPackages(paths.root);
    if (missing.length > 0) throw new Error(`npm ci left out ${missing.slice(0, 5).join(', ')}`);
  },
  advice: 'check the connection to the npm registry (or its mirror and proxy in ~/.npmrc), then run the command again',
};

/**
 * Packages of the lock file that are not installed in the locked version. npm writes `node_modules/.package-lock.json` as
 * the last thing of an installation, so one that was cut off has none.
 *
 * @param {string} root folder of package-lock.json
 * @returns {string[]} paths such as `node_modules/fastify`
 */
export function missingPackages(root) {
  const locked = readPackages(path.join(root, 'package-lock.json')) ?? {};
  const installed = readPackages(path.join(root, 'node_modules/.package-lock.json'));
  if (installed === undefined) return Object.keys(locked);
  return Object.keys(locked).filter((name) => {
    if (name === '') return false;
    const found = installed[name];
    if (found === undefined) return locked[name].optional !== true;
    return found.version !== locked[name].version;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
