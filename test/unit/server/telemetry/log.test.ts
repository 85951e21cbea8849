import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorFromUnknown, L2mError } from '../../../../server/errors.ts';
import { LogFile } from '../../../../server/telemetry/log-file.ts';
import { logFailure, openLog, silentLog } from '../../../../server/telemetry/log.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'l2m-log-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function linesOf(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('openLog', () => {
  it('writes the file at its level, with the fields of a child and without secrets', async () => {
    const file = join(directory, 'data', 'server.log');
    const { log, close } = openLog({ file, fileLevel: 'info', terminalLevel: 'silent', pretty: false });
    const child = log.child({ worker: 'w1' });
    child.debug('not this');
    child.info({ token: 'hunter2', request: { headers: { authorization: 'Bearer hunter2' } } }, 'hello');
    close();
    const lines = await linesOf(file);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ worker: 'w1', msg: 'hello', time: expect.stringMatching(/^\d{4}-/) as string });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('logs a failure with its cause, as loud as its severity', async () => {
    const file = join(directory, 'server.log');
    const { log, close } = openLog({ file, fileLevel: 'trace', terminalLevel: 'silent', pretty: false });
    const internal = errorFromUnknown(new Error('the secret cause'));
    logFailure(log, internal, { route: '/x' });
    logFailure(log, new L2mError('L2M_WORKER_LOST', 'w1'));
    logFailure(log, new L2mError('L2M_RUN_UNKNOWN', 'x'));
    close();
    const lines = await linesOf(file);
    expect(lines.map((line) => line['level'])).toEqual([50, 40, 30]);
    expect(lines[0]).toMatchObject({ route: '/x', code: 'L2M_INTERNAL', correlationId: internal.correlationId });
    expect(JSON.stringify(lines[0])).toContain('the secret cause');
  });

  it('says so when the file cannot be opened', () => {
    const options = { fileLevel: 'info', terminalLevel: 'silent', pretty: false } as const;
    expect(() => openLog({ ...options, file: '/dev/null/server.log' })).toThrow(/data directory cannot be written/);
    expect(() => silentLog().info('nothing')).not.toThrow();
  });
});

describe('LogFile', () => {
  it('never takes more than twice its limit', async () => {
    const path = join(directory, 'server.log');
    const file = new LogFile(path, 1000);
    for (let line = 0; line < 500; line++) file.write(`${'x'.repeat(99)}\n`);
    file.close();
    expect((await stat(path)).size).toBeLessThanOrEqual(1100);
    expect((await stat(`${path}.1`)).size).toBeLessThanOrEqual(1100);
  });

  it('goes on in a file that is there already', async () => {
    const path = join(directory, 'server.log');
    for (const word of ['one', 'two']) {
      const file = new LogFile(path, 1000);
      file.write(`${word}\n`);
      file.close();
    }
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
  });

  it.runIf(existsSync('/dev/full'))('does not throw on a full disk', () => {
    const file = new LogFile('/dev/full', 1000);
    expect(() => file.write('lost\n')).not.toThrow();
    file.close();
  });
});
