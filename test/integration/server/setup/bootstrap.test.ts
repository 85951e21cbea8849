import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../../support/source-graph.ts';

/**
 * The real set-up in a small checkout of its own: real npm packages (linked), a real virtual environment, a real page
 * build; only sim-bridge is empty, because its packages take a minute. L2M_TENSORFLOW=wasm leaves the native build out.
 */
const place = mkdtempSync(path.join(tmpdir(), 'l2m-bootstrap-'));
const environment = { ...process.env, L2M_TENSORFLOW: 'wasm', npm_execpath: undefined };

/** A build backend of its own, so that nothing has to be fetched to install the package. */
const BACKEND = `
import pathlib, zipfile
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "sim_bridge-0.1.0-py3-none-any.whl"
    info = "sim_bridge-0.1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: sim-bridge\\nVersion: 0.1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
`;

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(place, file)), { recursive: true });
  writeFileSync(path.join(place, file), text);
}

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly ms: number;
}

function bootstrap(options: { environment?: NodeJS.ProcessEnv; killWhen?: RegExp } = {}): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(process.execPath, ['server/setup/bootstrap.mjs', 'start'], {
    cwd: place,
    env: { ...environment, ...options.environment },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString();
      if (options.killWhen?.test(output)) child.kill('SIGKILL');
    });
  }
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code, output, ms: performance.now() - started });
    });
  });
}

beforeAll(() => {
  cpSync(path.join(ROOT, 'server/setup'), path.join(place, 'server/setup'), { recursive: true });
  cpSync(path.join(ROOT, 'package-lock.json'), path.join(place, 'package-lock.json'));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(place, 'node_modules'));
  write('dashboards/index.html', '<!doctype html><title>page</title>');
  write('sim-bridge/requirements.lock', '# nothing\n');
  write('sim-bridge/backend.py', BACKEND);
  write(
    'sim-bridge/pyproject.toml',
    '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "sim-bridge"\nversion = "0.1.0"\n',
  );
});
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
});

describe('set-up', () => {
  it('goes on after having been killed in the middle, and says that WebAssembly is in use and why', async () => {
    const killed = await bootstrap({ killWhen: /Python environment: Python/ });
    expect(killed.code).toBeNull();
    expect(existsSync(path.join(place, '.l2m/setup.lock'))).toBe(true);
    const { code, output } = await bootstrap();
    expect(output).toContain('simulators: ready');
    expect(output).toContain(
      'tensors run on WebAssembly, about 12 times slower than native TensorFlow: L2M_TENSORFLOW=wasm',
    );
    expect(code).toBe(0);
    expect(existsSync(path.join(place, 'dashboards/dist/index.html'))).toBe(true);
    expect(JSON.parse(readFileSync(path.join(place, '.l2m/native/state.json'), 'utf8'))).toMatchObject({
      backend: 'wasm',
      tensorflowVersion: null,
    });
  });

  it('takes less than two seconds when nothing changed', async () => {
    const runs = [await bootstrap(), await bootstrap()];
    for (const { code, output } of runs) {
      expect(code).toBe(0);
      expect(output).toContain('up to date');
    }
    expect(Math.min(...runs.map(({ ms }) => ms))).toBeLessThan(2_000);
  });

  it('redoes only the part whose input changed, once, though two are started', async () => {
    write('dashboards/index.html', '<!doctype html><title>another page</title>');
    const runs = await Promise.all([bootstrap(), bootstrap()]);
    const output = runs.map((run) => run.output).join('');
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(output.match(/web page: ready/g)).toHaveLength(1);
    expect(output).not.toContain('simulators');
  });

  it('shows the end of what a failing command said', async () => {
    write('dashboards/index.html', '<!doctype html><script type="module" src="./absent.ts"></script>');
    const { code, output } = await bootstrap();
    expect(code).toBe(1);
    expect(output).toContain('web page failed');
    expect(output).toContain('absent.ts');
  });

  it('says in one sentence what to install when Python is missing, and finishes the other parts', async () => {
    rmSync(path.join(place, '.l2m'), { recursive: true });
    write('dashboards/index.html', '<!doctype html><title>page</title>');
    const { code, output } = await bootstrap({ environment: { L2M_PYTHON: path.join(place, 'no-python') } });
    expect(code).toBe(1);
    expect(output).toContain('What to do: install Python 3.10 to 3.13 with its venv module');
    expect(output).toContain('web page: ready');
  });
});
