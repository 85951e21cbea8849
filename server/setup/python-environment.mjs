import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from './command.mjs';
import { findPrograms, pythonNames } from './find-tools.mjs';
import { hashInputs } from './input-hash.mjs';
import { paths } from './paths.mjs';

const oldest = [3, 10];
/** MuJoCo 3.3.0 has no wheel for later ones. */
const newest = [3, 13];
const lockFile = 'sim-bridge/requirements.lock';
const pipOptions = ['-m', 'pip', '--disable-pip-version-check', '--no-input'];

const wishFile = path.join(paths.venv, 'l2m-python-wish');
const packagesMarker = path.join(paths.venv, 'l2m-packages');

/**
 * The empty virtual environment: its own stage, because native TensorFlow needs its pip and not its packages.
 *
 * @type {import('./stage.mjs').Stage}
 */
export const pythonVenv = {
  name: 'Python environment',
  id: 'python-venv',
  key: () => hashInputs({ words: [paths.venv] }),
  isIntact: () => existsSync(paths.venvPython) && isWishedPython(),
  async make(say) {
    const python = await choosePython();
    const usable = existsSync(paths.venvPython) && (await describePython(paths.venvPython).catch(() => undefined));
    if (!usable || usable.version !== python.version || !usable.hasPip) {
      say(`Python ${python.version} (${python.executable})`);
      rmSync(paths.venv, { recursive: true, force: true });
      await runCommand(python.executable, ['-m', 'venv', paths.venv], { log: 'python' });
    }
    writeFileSync(wishFile, process.env['L2M_PYTHON'] ?? '');
    return `Python ${python.version}`;
  },
  advice:
    'install Python 3.10 to 3.13 with its venv module (Debian, Ubuntu: apt-get install python3-venv; macOS: brew install python@3.12), or name one in L2M_PYTHON',
};

/** @type {import('./stage.mjs').Stage} */
export const pythonPackages = {
  name: 'simulators',
  id: 'python-packages',
  key: () => hashInputs({ words: [paths.venv], files: [lockFile, 'sim-bridge/pyproject.toml'] }),
  // The marker lies inside the environment, so it goes with it.
  isIntact: () => existsSync(packagesMarker),
  async make(say) {
    const wanted = lockedNames(readFileSync(path.join(paths.root, lockFile), 'utf8'));
    say(`MuJoCo, Meta-World, DMControl and what they need: ${wanted.size} packages at most`);
    const install = [...pipOptions, 'install', '--no-deps', '--progress-bar', 'off'];
    await runCommand(paths.venvPython, [...install, '--require-hashes', '--only-binary=:all:', '-r', lockFile], {
      log: 'python',
    });
    await runCommand(paths.venvPython, [...install, '--no-build-isolation', '--editable', 'sim-bridge'], {
      log: 'python',
    });
    await removeStrangers(wanted);
    writeFileSync(packagesMarker, '');
  },
  advice:
    'check the connection to PyPI (or its mirror in pip.conf), then run the command again: what is installed already is kept',
};

/** Names in a requirements file, as PyPI spells them. */
export function lockedNames(text) {
  const names = [...text.matchAll(/^([A-Za-z0-9._-]+)==/gm)].map((match) => normalName(match[1]));
  return new Set(names);
}

/** Takes away what an earlier lock file asked for: a locked environment holds nothing else. */
async function removeStrangers(wanted) {
  const listing = await runCommand(paths.venvPython, [...pipOptions, 'list', '--format=freeze'], { log: 'python' });
  const installed = listing.map((line) => /^([A-Za-z0-9._-]+)==/.exec(line)?.[1]).filter((name) => name !== undefined);
  const strangers = installed.filter(
    (name) => !wanted.has(normalName(name)) && !['pip', 'sim-bridge'].includes(normalName(name)),
  );
  if (strangers.length > 0)
    await runCommand(paths.venvPython, [...pipOptions, 'uninstall', '--yes', ...strangers], { log: 'python' });
}

function normalName(name) {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-');
}

/** Without a wish, the interpreter that was chosen once stays. */
function isWishedPython() {
  const wish = process.env['L2M_PYTHON'];
  return wish === undefined || wish === '' || (existsSync(wishFile) && readFileSync(wishFile, 'utf8') === wish);
}

/**
 * The first interpreter that will do.
 *
 * @returns {Promise<{ executable: string, version: string, hasVenv: boolean, hasPip: boolean }>}
 * @throws with the reason for each that will not
 */
export async function choosePython() {
  const refused = [];
  for (const candidate of findPrograms(pythonNames())) {
    const described = await describePython(candidate).catch((error) => ({ problem: error.message.split('\n')[0] }));
    const problem = described.problem ?? whyNot(described);
    if (problem === undefined) return described;
    refused.push(`${candidate}: ${problem}`);
  }
  throw new Error(
    refused.length === 0
      ? `no Python found (looked for ${pythonNames().join(', ')})`
      : `no Python will do: ${refused.join('; ')}`,
  );
}

/** Why an interpreter cannot be used, in a few words; undefined if it can. */
export function whyNot(described) {
  const [major, minor] = described.version.split('.').map(Number);
  const isOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  const isNew = major > newest[0] || (major === newest[0] && minor > newest[1]);
  if (isOld || isNew) return `version ${described.version}, and it must be 3.10 to 3.13`;
  if (!described.hasVenv) return 'its venv module is missing';
  return undefined;
}

const describeScript = `
import importlib.util as util, json, platform, sys
has = lambda name: util.find_spec(name) is not None
print(json.dumps({"executable": sys.executable, "version": platform.python_version(),
                  "hasVenv": has("venv") and has("ensurepip"), "hasPip": has("pip")}))
`;

async function describePython(executable) {
  const { stdout } = await promisify(execFile)(executable, ['-c', describeScript], { timeout: 20_000 });
  return JSON.parse(stdout);
}
