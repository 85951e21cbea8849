import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A holder that has not touched its lock for this long is taken for dead, whatever its process id says. */
const staleMs = 30_000;
const touchMs = 5_000;

/**
 * Holds a lock file between processes of one machine. A lock whose holder died is taken over.
 *
 * @param {string} file
 * @param {{ maxWaitMs: number, pollMs?: number, onWait: (holder: string) => void }} options
 * @returns {Promise<() => void>} lets the lock go; also done when the process exits
 * @throws when the lock is not free within maxWaitMs
 */
export async function takeLock(file, options) {
  mkdirSync(path.dirname(file), { recursive: true });
  const token = `${process.pid} ${Date.now()} ${Math.random()}`;
  const deadline = Date.now() + options.maxWaitMs;
  let told = false;
  while (!(await tryTake(file, token))) {
    const holder = readHolder(file)?.split(' ')[0] ?? 'unknown';
    if (Date.now() > deadline)
      throw new Error(`Process ${holder} has held ${file} for too long: end it, or remove the file.`);
    if (!told) options.onWait(holder);
    told = true;
    await sleep(options.pollMs ?? 500);
  }
  const touch = setInterval(() => utimesSync(file, new Date(), new Date()), touchMs);
  touch.unref();
  const letGo = () => {
    clearInterval(touch);
    process.removeListener('exit', letGo);
    if (readHolder(file) === token) rmSync(file, { force: true });
  };
  process.once('exit', letGo);
  return letGo;
}

async function tryTake(file, token) {
  if (isStale(file)) {
    // Of two processes that see the same dead holder, the slower may move the faster one's new lock away: so look again.
    const aside = `${file}.${process.pid}.stale`;
    try {
      renameSync(file, aside);
      rmSync(aside, { force: true });
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  try {
    writeFileSync(file, token, { flag: 'wx' });
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  await sleep(50);
  return readHolder(file) === token;
}

function isStale(file) {
  const holder = readHolder(file);
  if (holder === undefined) return false;
  try {
    if (Date.now() - statSync(file).mtimeMs > staleMs) return true;
    process.kill(Number(holder.split(' ')[0]), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function readHolder(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
