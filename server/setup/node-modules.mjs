import { existsSync, readFileSync } from 'node:fs';
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
    // In place where npm once finished: `npm ci` takes everything away first, and something may be running.
    if (existsSync(path.join(paths.nodeModules, '.package-lock.json'))) {
      say('npm install');
      await npm(['install', '--no-save']);
      if (missingPackages(paths.root).length === 0) return 'brought up to date';
    }
    say('npm ci');
    await npm(['ci']);
    const missing = missingPackages(paths.root);
    if (missing.length > 0) throw new Error(`npm ci left out ${missing.slice(0, 5).join(', ')}`);
  },
  advice: 'check the connection to the npm registry (or its mirror and proxy in ~/.npmrc), then run the command again',
};

/** With the npm that started this process, if one did; `npm run --silent` would silence its errors too. */
function npm(args) {
  const started = process.env['npm_execpath'];
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=warn'];
  const isScript = started !== undefined && /\.c?js$/.test(started);
  const command = isScript ? process.execPath : (findProgram(['npm']) ?? 'npm');
  return runCommand(command, [...(isScript ? [started] : []), ...args, ...options], { log: 'npm' });
}

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
