import { mkdirSync, statfsSync } from 'node:fs';
import { findChromium } from './find-tools.mjs';
import { takeLock } from './lock.mjs';
import { readNativeState } from './native-tensorflow.mjs';
import { paths } from './paths.mjs';
import { plan } from './plan.mjs';
import { Progress, seconds } from './progress.mjs';
import { isFresh, makeStage } from './stage.mjs';

const neededBytes = 4e9;
const longestSetUpMs = 3_600_000;

/**
 * Brings the checkout up to date. Starts no process when nothing changed.
 *
 * @param {{ purpose: 'start' | 'test', again: boolean }} options
 * @returns {Promise<number>} exit code
 */
export async function setUp(options) {
  const started = Date.now();
  if (!options.again && plan.every(({ stage }) => isFresh(stage))) {
    console.log(`l2m set-up: up to date (${seconds(Date.now() - started)})`);
    return tell(options);
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));
  console.log('l2m set-up: what is finished is kept, so this can be cut off and run again');
  const progress = new Progress();
  try {
    warnOfFullDisk(progress);
    const letGo = await takeLock(paths.lock, {
      maxWaitMs: longestSetUpMs,
      onWait: (holder) => progress.say(`waiting for another set-up of this checkout (process ${holder})`),
    });
    const failures = await makeAll(options, progress);
    letGo();
    for (const { stage, error } of failures) {
      console.error(`\n${stage.name} failed: ${error.message}\n  What to do: ${stage.advice}.`);
    }
    if (failures.length > 0) return 1;
  } finally {
    progress.close();
  }
  console.log(`l2m set-up: ready (${seconds(Date.now() - started)})`);
  return tell(options);
}

/** Runs the plan; a stage whose forerunner failed is left out, the others are finished. */
async function makeAll(options, progress) {
  const failures = [];
  const results = new Map();
  for (const { stage, after } of plan) {
    const forerunners = after.map((one) => results.get(one));
    const run = async () => {
      const ready = (await Promise.all(forerunners)).every(Boolean);
      if (!ready) return false;
      if (!options.again && isFresh(stage)) return true;
      try {
        await makeStage(stage, progress, options.again);
        return true;
      } catch (error) {
        failures.push({ stage, error });
        return false;
      }
    };
    results.set(stage, run());
  }
  await Promise.all(results.values());
  return failures;
}

function warnOfFullDisk(progress) {
  mkdirSync(paths.made, { recursive: true });
  const disk = statfsSync(paths.made);
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes < neededBytes) {
    progress.say(
      `only ${(freeBytes / 1e9).toFixed(1)} GB free at ${paths.made}: a first set-up needs about ${neededBytes / 1e9} GB`,
    );
  }
}

/** What a person should know every time, though nothing failed. */
function tell(options) {
  const state = readNativeState();
  if (state?.backend === 'wasm') {
    console.log(
      `l2m set-up: tensors run on WebAssembly, about 12 times slower than native TensorFlow: ${state.reason}`,
    );
  }
  if (options.purpose === 'test' && findChromium() === undefined) {
    console.log(
      'l2m set-up: no Chromium or Chrome found, so the browser tests will be skipped (Debian: apt-get install chromium; or name one in L2M_CHROMIUM)',
    );
  }
  return 0;
}
