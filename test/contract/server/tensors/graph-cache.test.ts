import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('cached-graph.ts', import.meta.url));

describe('graphs kept from one start to the next', () => {
  const place = mkdtempSync(path.join(tmpdir(), 'l2m-cache-'));
  afterAll(() => rmSync(place, { recursive: true }));

  /** Starts a process, which compiles a graph for every factor. */
  function compileElsewhere(...factors: number[]): { graphCache: string; results: number[][] } {
    const output = execFileSync(process.execPath, ['--import', 'tsx', script, place, ...factors.map(String)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(output) as { graphCache: string; results: number[][] };
  }

  function files(folder: string): { name: string; writtenMs: number }[] {
    return readdirSync(folder).map((name) => ({ name, writtenMs: statSync(path.join(folder, name)).mtimeMs }));
  }

  it('are found again in whatever order they are compiled, and made anew where they are damaged', () => {
    const first = compileElsewhere(2, 3);
    expect(first.graphCache.startsWith(place)).toBe(true);
    const kept = files(first.graphCache);
    expect(kept.map(({ name }) => name.includes('XLA_CPU_JIT'))).toEqual([true, true]);
    expect(compileElsewhere(3, 2).results).toEqual([...first.results].reverse());
    expect(files(first.graphCache)).toEqual(kept);

    for (const { name } of kept) truncateSync(path.join(first.graphCache, name), 100);
    expect(compileElsewhere(2).results).toEqual(first.results.slice(0, 1));
    expect(files(first.graphCache)).toHaveLength(1);
  });
});
