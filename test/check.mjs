/**
 * What `npm run check` runs once set-up is done: types, lint, formats, dead code, then the tests (left out with `--static`).
 * Each static check counts as one in the closing line.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { paths } from '../server/setup/paths.mjs';
import { closingLine, readTally, root, saveTally, sumTallies } from './tally.mjs';

const bin = (name) => path.join(root, 'node_modules/.bin', name);
const venv = (name) => path.join(path.dirname(paths.venvPython), name);

/** Two at a time, the longest first. */
const checks = [
  { name: 'lint (eslint)', command: bin('eslint'), args: ['.', '--max-warnings', '0'] },
  {
    name: 'types of server, agent, protocol, test (tsc)',
    command: bin('tsc'),
    args: ['--noEmit', '-p', 'tsconfig.json'],
  },
  { name: 'types of the page (tsc)', command: bin('tsc'), args: ['--noEmit', '-p', 'dashboards/tsconfig.json'] },
  {
    name: 'types of Python (pyright)',
    command: bin('pyright'),
    args: ['-p', 'sim-bridge', '--pythonpath', paths.venvPython],
  },
  { name: 'unused files, exports and dependencies (knip)', command: bin('knip'), args: [] },
  { name: 'format (prettier)', command: bin('prettier'), args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'lint of Python (ruff)', command: venv('ruff'), args: ['check', 'sim-bridge'] },
  { name: 'format of Python (ruff)', command: venv('ruff'), args: ['format', '--check', 'sim-bridge'] },
];

function run(check) {
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(check.command, check.args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 900_000,
      env: { ...process.env, PYRIGHT_PYTHON_IGNORE_WARNINGS: '1' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const finish = (passed) => {
      console.log(`${passed ? 'ok    ' : 'FAILED'} ${check.name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      if (!passed) console.log(output.trimEnd());
      resolve(passed);
    };
    child.once('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.once('close', (code) => finish(code === 0));
  });
}

async function runChecks() {
  const waiting = [...checks];
  const tally = { passed: 0, failed: 0, skipped: 0 };
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      tally[(await run(check)) ? 'passed' : 'failed'] += 1;
    }
  };
  await Promise.all([worker(), worker()]);
  return tally;
}

if (!existsSync(paths.venvPython)) throw new Error('The checkout is not set up: run `npm run setup`.');
const tally = await runChecks();
saveTally('static', tally);
const tallies = [tally];
if (!process.argv.includes('--static')) {
  await new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(root, 'test/run.mjs')], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('close', resolve);
  });
  tallies.push(readTally('tests'));
}
const sum = sumTallies(tallies);
console.log(closingLine(sum));
process.exitCode = sum.failed > 0 ? 1 : 0;
