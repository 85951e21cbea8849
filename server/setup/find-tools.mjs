import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** Looks a program up on the PATH without starting anything. */
export function findProgram(names, environment = process.env) {
  for (const name of names) {
    if (path.isAbsolute(name)) {
      if (isExecutable(name)) return name;
      continue;
    }
    for (const folder of (environment['PATH'] ?? '').split(path.delimiter)) {
      const candidate = path.join(folder, name);
      if (folder !== '' && isExecutable(candidate)) return candidate;
    }
  }
  return undefined;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A C++ compiler: `CXX`, else the usual names. */
export function findCompiler(environment = process.env) {
  const wish = environment['CXX'];
  return findProgram([...(wish ? [wish] : []), 'c++', 'g++', 'clang++'], environment);
}

/** `L2M_PYTHON` when it is set, else the interpreters in order of preference. */
export function findPython(environment = process.env) {
  const wish = environment['L2M_PYTHON'];
  if (wish) return findProgram([wish], environment);
  return findProgram(['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'], environment);
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
