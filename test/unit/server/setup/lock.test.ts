import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from '../../../../server/setup/lock.mjs';

let place = '';
let file = '';
beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), 'l2m-lock-'));
  file = path.join(place, 'setup.lock');
});
afterEach(() => {
  rmSync(place, { recursive: true, force: true });
});

const options = { maxWaitMs: 5_000, pollMs: 20, onWait: () => undefined };

describe('the lock', () => {
  it('is gone once it is let go', async () => {
    const letGo = await takeLock(file, options);
    expect(existsSync(file)).toBe(true);
    letGo();
    expect(existsSync(file)).toBe(false);
  });

  it('makes the second wait, tells whom for, and gives up at the deadline', async () => {
    const letGo = await takeLock(file, options);
    const holders: string[] = [];
    const second = takeLock(file, { ...options, maxWaitMs: 100, onWait: (holder: string) => holders.push(holder) });
    await expect(second).rejects.toThrow('held');
    expect(holders).toEqual([String(process.pid)]);
    letGo();
  });

  it('is taken over from a process that is dead', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => dead.once('close', resolve));
    writeFileSync(file, `${dead.pid ?? 0} 0 0`);
    const letGo = await takeLock(file, options);
    letGo();
  });

  it('is taken over from a holder that no longer touches it, though its process id is in use again', async () => {
    writeFileSync(file, `${process.pid} 0 0`);
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(file, longAgo, longAgo);
    const letGo = await takeLock(file, options);
    letGo();
  });

  it('lets several processes that find a dead holder work one after the other', async () => {
    writeFileSync(file, '999999999 0 0');
    const log = path.join(place, 'log');
    const script = `
      import { takeLock } from ${JSON.stringify(pathToFileURL(path.resolve('server/setup/lock.mjs')).href)};
      import { appendFileSync } from 'node:fs';
      const letGo = await takeLock(${JSON.stringify(file)}, { maxWaitMs: 15000, pollMs: 10, onWait: () => undefined });
      appendFileSync(${JSON.stringify(log)}, 'in ');
      await new Promise((resolve) => setTimeout(resolve, 30));
      appendFileSync(${JSON.stringify(log)}, 'out ');
      letGo();
    `;
    const runs = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
      return new Promise((resolve) => child.once('close', resolve));
    });
    expect(await Promise.all(runs)).toEqual([0, 0, 0, 0]);
    expect(readFileSync(log, 'utf8')).toBe('in out '.repeat(4));
  });
});
