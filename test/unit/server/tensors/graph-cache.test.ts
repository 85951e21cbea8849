import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearGraphCache, prepareGraphCache } from '../../../../server/tensors/graph-cache.ts';

describe('cache of compiled graphs', () => {
  let place = '';
  beforeEach(() => (place = mkdtempSync(path.join(tmpdir(), 'l2m-cache-'))));
  afterEach(() => rmSync(place, { recursive: true }));

  it('has one folder for this machine and library, and can be emptied', () => {
    const folder = prepareGraphCache(place);
    expect(folder).toBe(prepareGraphCache(place));
    expect(readdirSync(place)).toHaveLength(1);
    expect(clearGraphCache(folder!)).toBe(false);
    writeFileSync(path.join(folder!, 'graph.pb'), 'x');
    expect(clearGraphCache(folder!)).toBe(true);
    expect(readdirSync(folder!)).toEqual([]);
  });

  it('gives up what was not used for longest beyond a gigabyte, other machines included', () => {
    const other = path.join(place, 'other');
    mkdirSync(other);
    for (const [i, name] of ['newest', 'middle', 'oldest'].entries()) {
      const file = path.join(other, name);
      writeFileSync(file, '');
      truncateSync(file, 400 * 2 ** 20);
      const used = new Date(Date.now() - i * 1e6);
      utimesSync(file, used, used);
    }
    prepareGraphCache(place);
    expect(readdirSync(other).sort()).toEqual(['middle', 'newest']);
  });

  it('is done without where the place cannot be used', () => {
    const file = path.join(place, 'file');
    writeFileSync(file, '');
    expect(prepareGraphCache(file)).toBeNull();
    expect(prepareGraphCache(path.join(place, 'with space'))).toBeNull();
  });
});
