import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { paths } from '../setup/paths.mjs';
import { askProgram } from './ask-program.ts';
import { good, missing, warning, type Finding } from './finding.ts';

const SHOWN = ['mujoco', 'metaworld', 'dm-control', 'numpy', 'pyzmq', 'msgpack'];
const SCRIPT = `
import importlib.metadata as metadata, json, platform
versions = {}
for name in ${JSON.stringify([...SHOWN, 'sim-bridge'])}:
    try:
        versions[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
import sim_bridge
print(json.dumps({"python": platform.python_version(), "versions": versions}))
`;

export interface PythonDescription {
  readonly python: string;
  /** Installed versions by name; packages that are not installed are absent. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Asks the simulators' own interpreter what it holds, and holds that against the lock file. */
export async function simulatorFindings(python: string = paths.venvPython): Promise<readonly Finding[]> {
  const fix = 'Run `npm run setup` (needs Python 3.10 to 3.13 with venv; L2M_PYTHON names one).';
  if (!existsSync(python)) return [missing('Python', `no environment at ${path.relative(paths.root, python)}`, fix)];
  const answer = await askProgram(python, ['-c', SCRIPT]);
  if (!answer.ok) return [missing('Python', `the simulators' environment does not work: ${answer.reason}`, fix)];
  const description = JSON.parse(answer.text) as PythonDescription;
  const lock = readFileSync(path.join(paths.root, 'sim-bridge/requirements.lock'), 'utf8');
  return [
    good('Python', `${description.python} in ${path.relative(paths.root, paths.venv)}`),
    judgeSimulators(description, lock),
  ];
}

/** @param lock text of a pip requirements file; a package may stand there in several versions, one per Python */
export function judgeSimulators(description: PythonDescription, lock: string): Finding {
  const { versions } = description;
  const absent = SHOWN.filter((name) => versions[name] === undefined);
  if (absent.length > 0) {
    return missing('simulators', `${absent.join(', ')} not installed`, 'Run `npm run setup -- --again`.');
  }
  const shown = SHOWN.map((name) => `${name} ${versions[name] ?? ''}`).join(', ');
  const strange = SHOWN.filter((name) => !lock.includes(`\n${name}==${versions[name] ?? ''} `));
  if (strange.length === 0) return good('simulators', shown);
  const detail = `${shown}; not as in sim-bridge/requirements.lock: ${strange.join(', ')}`;
  return warning('simulators', detail, 'Run `npm run setup -- --again`.');
}
