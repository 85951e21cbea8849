import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Looks programs up on the PATH without starting anything; a name with a slash is a path.
 *
 * @param {string[]} names best first
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {string[]} best first
 */
export function findPrograms(names, environment = process.env) {
  const folders = (environment['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const candidates = names.flatMap((name) =>
    name.includes('/') || path.isAbsolute(name)
      ? [path.resolve(name)]
      : folders.map((folder) => path.join(folder, name)),
  );
  return [...new Set(candidates.filter(isExecutable))];
}

/**
 * @param {string[]} names best first
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {string | undefined} the best one
 */
export function findProgram(names, environment = process.env) {
  return findPrograms(names, environment)[0];
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** A C++ compiler: `CXX`, else the usual names. */
export function findCompiler(environment = process.env) {
  const wish = environment['CXX'];
  return findProgram([...(wish ? [wish] : []), 'c++', 'g++', 'clang++'], environment);
}

/** `L2M_PYTHON` alone when it is set, else the interpreters in order of preference. */
export function pythonNames(environment = process.env) {
  const wish = environment['L2M_PYTHON'];
  if (wish) return [wish];
  return ['python3', 'python3.12', 'python3.11', 'python3.13', 'python3.10', 'python'];
}

/** An installed Chromium or Chrome: `L2M_CHROMIUM` when it is set, else the usual names and places. */
export function findChromium(environment = process.env) {
  const wish = environment['L2M_CHROMIUM'];
  if (wish) return findProgram([wish], environment);
  return findProgram(
    [
      'chromium',
      'chromium-browser',
      'google-chrome',
      'google-chrome-stable',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ],
    environment,
  );
}

/** The driver's tool, where a device node says that a GPU is really there; starting it takes a second, so it is not asked. */
export function findNvidiaGpu(environment = process.env) {
  const tool = findProgram(['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi'], environment);
  if (tool === undefined) return undefined;
  const present = existsSync('/dev/dxg') || readdirSync('/dev').some((name) => /^nvidia\d+$/.test(name));
  return present ? tool : undefined;
}
