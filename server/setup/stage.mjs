import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { paths } from './paths.mjs';

/**
 * @typedef {object} Stage a part of set-up that is made once per state of its inputs
 * @property {string} name what a person reads
 * @property {string} id file name of the stamp
 * @property {() => string} key hash of the inputs
 * @property {() => boolean} isIntact cheap look whether what was made is still there; starts no process
 * @property {(say: (line: string) => void, again: boolean) => Promise<string | void>} make must be safe to repeat after being
 *   cut off anywhere; may return what to say at the end; `again` asks to keep no intermediate result
 * @property {string} advice what to do when it fails
 */

/** @param {Stage} stage */
export function isFresh(stage) {
  return readStamp(stage.id) === stage.key() && stage.isIntact();
}

/**
 * Makes a stage. The stamp goes first and comes back last, so a stage that was cut off is made again.
 *
 * @param {Stage} stage
 * @param {import('./progress.mjs').Progress} progress
 * @param {boolean} [again]
 */
export async function makeStage(stage, progress, again = false) {
  // The key from before the work: an input that changes meanwhile makes the stamp stale.
  const key = stage.key();
  rmSync(stampFile(stage.id), { force: true });
  progress.begin(stage.name);
  try {
    const ending = await stage.make((line) => progress.say(`${stage.name}: ${line}`), again);
    writeStamp(stage.id, key);
    progress.end(stage.name, ending ?? 'ready');
  } catch (error) {
    progress.end(stage.name, 'failed');
    throw error;
  }
}

function stampFile(id) {
  return path.join(paths.stamps, `${id}.key`);
}

function readStamp(id) {
  try {
    return readFileSync(stampFile(id), 'utf8');
  } catch {
    return undefined;
  }
}

function writeStamp(id, key) {
  mkdirSync(paths.stamps, { recursive: true });
  const partial = `${stampFile(id)}.${process.pid}`;
  writeFileSync(partial, key);
  renameSync(partial, stampFile(id));
}
