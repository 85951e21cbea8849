import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { findCompiler, findNvidiaGpu } from './find-tools.mjs';
import { paths } from './paths.mjs';

export const tensorflowVersion = '2.21.0';
/** Only the C++ side of the wheel is used, so one Python tag serves every interpreter. */
const wheelPythonVersion = '3.12';
const darwin = process.platform === 'darwin';
export const libraryFolder = path.join(paths.native, 'site/tensorflow');
export const libraries = (
  darwin
    ? ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib']
    : ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
).map((name) => path.join(libraryFolder, name));

/** Takes the libraries and headers out of the wheel, and says which NVIDIA packages it asks for. */
const unpackScript = `
import re, sys, zipfile
wheel, target, wanted = sys.argv[1], sys.argv[2], set(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        inside = name.removeprefix('tensorflow/')
        if inside in wanted or inside.startswith('include/'):
            archive.extract(name, target)
        if name.endswith('.dist-info/METADATA'):
            for line in archive.read(name).decode().splitlines():
                found = re.match(r'Requires-Dist: ([^;]+);.*extra == ["\\']and-cuda["\\']', line)
                if found:
                    print('and-cuda ' + re.sub(r'[() ]', '', found.group(1)))
`;

/** What is built on this machine: the wheel's name, and why not when nothing is. */
export function chooseTensorflow(environment = process.env) {
  const wish = environment['L2M_TENSORFLOW'] ?? 'auto';
  if (wish === 'wasm') return { kind: 'none', reason: 'L2M_TENSORFLOW=wasm asks for WebAssembly' };
  if (!['auto', 'cpu', 'cuda'].includes(wish))
    throw new Error(`L2M_TENSORFLOW is '${wish}': use auto, cpu, cuda or wasm.`);
  if (process.platform !== 'linux' && !darwin) return { kind: 'none', reason: `no recipe for ${process.platform}` };
  if (findCompiler(environment) === undefined) {
    return {
      kind: 'none',
      reason: `no C++ compiler found (${darwin ? 'xcode-select --install' : 'apt-get install g++'})`,
    };
  }
  if (
    wish === 'cuda' ||
    (wish === 'auto' && process.platform === 'linux' && findNvidiaGpu(environment) !== undefined)
  ) {
    return { kind: 'cuda', wheel: 'tensorflow' };
  }
  return {
    kind: 'cpu',
    wheel: process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow',
  };
}

/** Has the libraries and headers of the wheel in `libraryFolder`; fetches them if they are not there yet. */
export async function fetchLibraries(choice, context) {
  const marker = path.join(libraryFolder, 'unpacked.json');
  const wanted = JSON.stringify({ wheel: choice.wheel, version: tensorflowVersion, kind: choice.kind });
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
  const requirement = `${choice.wheel}==${tensorflowVersion}`;
  const downloads = path.join(paths.native, 'download');
  mkdirSync(downloads, { recursive: true });
  context.say(`fetching ${requirement} from PyPI`);
  const fetchOptions = [
    '--no-deps',
    '--only-binary=:all:',
    '--python-version',
    wheelPythonVersion,
    '--dest',
    downloads,
  ];
  await pip(['download', '--progress-bar', 'off', ...fetchOptions, requirement], context);
  const wheel = readdirSync(downloads).find((name) => name.startsWith(`${choice.wheel.replace('-', '_')}-`));
  if (wheel === undefined) throw new Error('pip left no wheel behind');
  context.say('unpacking the libraries and headers');
  // `site` is laid out as site-packages, because the libraries look for CUDA at ../nvidia relative to themselves.
  const site = path.join(paths.native, 'site');
  const partial = `${site}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const unpacked = await runCommand(
    context.python,
    ['-c', unpackScript, path.join(downloads, wheel), partial, ...libraries.map((library) => path.basename(library))],
    { log: 'native-tensorflow' },
  );
  if (choice.kind === 'cuda') {
    const nvidia = unpacked
      .filter((line) => line.startsWith('and-cuda '))
      .map((line) => line.slice('and-cuda '.length));
    context.say(`fetching ${nvidia.length} CUDA packages (about 3 GB)`);
    await pip(['install', '--no-deps', '--target', partial, ...nvidia], context);
  }
  rmSync(site, { recursive: true, force: true });
  renameSync(partial, site);
  writeFileSync(marker, wanted);
  rmSync(downloads, { recursive: true, force: true });
}

function pip(args, context) {
  return runCommand(context.python, ['-m', 'pip', '--disable-pip-version-check', '--no-input', ...args], {
    log: 'native-tensorflow',
  });
}
