/**
 * What `npm test` runs once set-up is done: every vitest project, then sim-bridge's pytest, then one closing line.
 * Arguments go to vitest, and then pytest is left out: `npm test -- --project unit test/unit/agent`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findChromium } from '../server/setup/find-tools.mjs';
import { paths } from '../server/setup/paths.mjs';
import { closingLine, reportFolder, root, saveTally, sumTallies, tallyOfPytest, tallyOfVitest } from './tally.mjs';

const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
const vitestReport = path.join(reportFolder, 'vitest.json');
const pytestReport = path.join(reportFolder, 'pytest.xml');
const longestMs = 3_600_000;

/** In a log, colours only hide the words. */
const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined };

/** Runs one suite to its end with its output shown; one that hangs is ended and counts as failed. */
function show(command, args, environment = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...plain, ...environment },
    });
    const timer = setTimeout(() => {
      console.error(`${path.basename(command)} took longer than ${longestMs / 60_000} minutes and was ended`);
      child.kill('SIGKILL');
    }, longestMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      console.error(error.message);
      resolve(1);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve(code ?? 1);
    });
  });
}

function readReport(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function runVitest(args, chromium) {
  rmSync(vitestReport, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`];
  const projects = [
    ...(chromium === undefined ? ['--project=!browser'] : []),
    // Minutes a test: in continuous integration only, after all others.
    ...(args.length === 0 ? ['--project=!slow'] : []),
  ];
  const environment = { TF_CPP_MIN_LOG_LEVEL: '2', ...(chromium === undefined ? {} : { L2M_CHROMIUM: chromium }) };
  const exitCode = await show(process.execPath, [vitest, 'run', ...reporters, ...projects, ...args], environment);
  const report = readReport(vitestReport);
  return report === undefined ? { passed: 0, failed: 1, skipped: 0 } : tallyOfVitest(JSON.parse(report), exitCode);
}

/** How many tests the browser tier holds, for the tally of a machine that cannot run them. */
async function countBrowserTests() {
  const list = path.join(reportFolder, 'browser.json');
  rmSync(list, { force: true });
  await show(process.execPath, [vitest, 'list', '--project=browser', `--json=${list}`]);
  const count = JSON.parse(readReport(list) ?? '[]').length;
  console.log(
    `browser tier: ${count} tests skipped, because no Chromium or Chrome was found (Debian: apt-get install chromium)`,
  );
  return { passed: 0, failed: 0, skipped: count };
}

async function runPytest() {
  rmSync(pytestReport, { force: true });
  const exitCode = await show(paths.venvPython, ['-m', 'pytest', 'sim-bridge', `--junitxml=${pytestReport}`]);
  return tallyOfPytest(readReport(pytestReport) ?? '', exitCode);
}

const args = process.argv.slice(2);
const chromium = findChromium();
mkdirSync(reportFolder, { recursive: true });
const tallies = [await runVitest(args, chromium)];
if (args.length === 0) {
  if (chromium === undefined) tallies.push(await countBrowserTests());
  tallies.push(await runPytest());
  if (process.env.CI) tallies.push(await runVitest(['--project=slow'], chromium));
}
const tally = sumTallies(tallies);
saveTally('tests', tally);
console.log(closingLine(tally));
process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;
