import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRunStore } from '../../../../server/store/duckdb-run-store.ts';
import { readOwner } from '../../../../server/store/owner-file.ts';
import { metaworldEpisode, newRun } from '../../../contract/server/store/builders.ts';

const PROGRAM = fileURLToPath(new URL('./recording-process.ts', import.meta.url));

type Line = Record<string, unknown>;

/** A recording process whose printed lines can be waited for. */
class Recording {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  #wake: () => void = () => undefined;

  constructor(directory: string, options: { episodes?: number; fileBlocks?: number } = {}) {
    const node = [process.execPath, '--import', 'tsx', PROGRAM, directory, String(options.episodes ?? 0)];
    // `ulimit -f` makes writes beyond so many blocks fail as they do on a full disk, without needing one.
    const script = `${options.fileBlocks === undefined ? '' : `ulimit -f ${options.fileBlocks} && `}exec "$@"`;
    this.child = spawn('bash', ['-c', script, 'bash', ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.child.stdout === null) throw new Error('no output');
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#wake();
    });
    this.child.once('exit', () => this.#wake());
  }

  async line(matches: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found !== undefined) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the process ended without it: ${JSON.stringify(this.lines.slice(-3))}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

describe('run store under faults', () => {
  let directory: string;
  const recordings: Recording[] = [];

  function record(options?: { episodes?: number; fileBlocks?: number }): Recording {
    const recording = new Recording(directory, options);
    recordings.push(recording);
    return recording;
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'l2m-store-'));
  });

  afterEach(async () => {
    for (const recording of recordings.splice(0)) await recording.kill();
    await rm(directory, { recursive: true });
  });

  it('keeps every episode that was said to be durable when the process is killed, and stops its run', async () => {
    const recording = record();
    await recording.line((line) => Number(line['durable']) >= 40);
    await recording.kill();
    const durable = Math.max(...recording.lines.map((line) => Number(line['durable'] ?? 0)));

    expect(await readOwner(directory)).toMatchObject({ pid: recording.child.pid });
    const store = await openRunStore({ directory });
    const episodes = await store.latestEpisodes('run-a');
    const run = await store.getRun('run-a');
    expect(await readOwner(directory)).toMatchObject({ pid: process.pid });
    await store.close();

    expect(episodes.length).toBeGreaterThanOrEqual(durable);
    expect(episodes.map((episode) => episode.start)).toEqual(episodes.map((_, index) => index));
    expect(run).toMatchObject({ state: 'stopped', message: expect.stringContaining('--resume run-a') as string });
    expect(run.finishedAt).not.toBeNull();
    expect(await readOwner(directory)).toBeUndefined();
  });

  it('refuses a second server on the same directory and names the first', async () => {
    const recording = record();
    await recording.line((line) => 'opened' in line);
    const attempt = openRunStore({ directory });
    await expect(attempt).rejects.toMatchObject({
      code: 'L2M_STORE_BUSY',
      message: expect.stringContaining(`process ${String(recording.child.pid)}`) as string,
    });
    await recording.line((line) => 'durable' in line);
  });

  it('refuses a second opening in the same process', async () => {
    const store = await openRunStore({ directory });
    await expect(openRunStore({ directory: `${directory}/.` })).rejects.toMatchObject({ code: 'L2M_STORE_BUSY' });
    await store.close();
    await (await openRunStore({ directory })).close();
  });

  it('says when the disk is full, keeps what was durable, and goes on when there is room again', async () => {
    const full = record({ fileBlocks: 1024 });
    const refusal = await full.line((line) => 'code' in line || 'unexpected' in line);
    expect(refusal).toMatchObject({ code: 'L2M_STORE_UNWRITABLE', hint: expect.stringContaining('--data') as string });
    if (full.child.exitCode === null) await once(full.child, 'exit');
    const durable = Math.max(...full.lines.map((line) => Number(line['durable'] ?? 0)));
    expect(durable).toBeGreaterThan(0);

    const roomy = record({ episodes: 8 });
    await roomy.line((line) => 'closed' in line);
    expect(roomy.lines.filter((line) => 'durable' in line)).toEqual([
      { durable: durable + 4 },
      { durable: durable + 8 },
    ]);
  });

  it('says when the directory cannot be made or is a file', async () => {
    await writeFile(join(directory, 'file'), '');
    for (const place of [join(directory, 'file'), join(directory, 'file', 'data'), '/proc/l2m']) {
      await expect(openRunStore({ directory: place })).rejects.toMatchObject({ code: 'L2M_STORE_UNWRITABLE' });
    }
  });

  it('says when the file is not a database, and does not touch it', async () => {
    await writeFile(join(directory, 'l2m.duckdb'), 'these are not the bytes of a database');
    await expect(openRunStore({ directory })).rejects.toMatchObject({ code: 'L2M_STORE_UNREADABLE' });
    expect(await readFile(join(directory, 'l2m.duckdb'), 'utf8')).toBe('these are not the bytes of a database');
  });

  it('leaves an episode for the next opening when the store is closed at once', async () => {
    const store = await openRunStore({ directory });
    await store.createRun(newRun('run-a'));
    const recorded = store.recordEpisode(metaworldEpisode('run-a'));
    await store.close();
    await recorded;
    const again = await openRunStore({ directory });
    expect(await again.latestEpisodes('run-a')).toHaveLength(1);
    await again.close();
  });
});
