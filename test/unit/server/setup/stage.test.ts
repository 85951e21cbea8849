import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';

const place = mkdtempSync(path.join(tmpdir(), 'l2m-stage-'));
vi.mock('../../../../server/setup/paths.mjs', () => ({ paths: { root: place, stamps: path.join(place, 'stamps') } }));
const { isFresh, makeStage } = await import('../../../../server/setup/stage.mjs');
const { hashInputs } = await import('../../../../server/setup/input-hash.mjs');

const silent = { say: () => undefined, begin: () => undefined, end: () => undefined } as never;
let made = 0;
let intact = true;
const stage = {
  name: 'part',
  id: 'part',
  key: () => hashInputs({ words: ['one'], files: ['input.txt'], folders: ['folder'] }),
  isIntact: () => intact,
  make: () => {
    made += 1;
    return Promise.resolve();
  },
  advice: 'none',
};

beforeEach(() => {
  rmSync(path.join(place, 'stamps'), { recursive: true, force: true });
  writeFileSync(path.join(place, 'input.txt'), 'first');
  made = 0;
  intact = true;
});
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
});

describe('a stage', () => {
  it('is made once per state of its inputs', async () => {
    expect(isFresh(stage)).toBe(false);
    await makeStage(stage, silent);
    expect(isFresh(stage)).toBe(true);
    writeFileSync(path.join(place, 'input.txt'), 'second');
    expect(isFresh(stage)).toBe(false);
    expect(made).toBe(1);
  });

  it('is stale when what it made is gone', async () => {
    await makeStage(stage, silent);
    intact = false;
    expect(isFresh(stage)).toBe(false);
  });

  it('stays stale when it fails, even though it was fresh before', async () => {
    await makeStage(stage, silent);
    const failing = { ...stage, make: () => Promise.reject(new Error('cut off')) };
    await expect(makeStage(failing, silent)).rejects.toThrow('cut off');
    expect(isFresh(stage)).toBe(false);
  });

  it('is stale when an input changed while it was made', async () => {
    const slow = {
      ...stage,
      make: () => {
        writeFileSync(path.join(place, 'input.txt'), 'changed meanwhile');
        return Promise.resolve();
      },
    };
    await makeStage(slow, silent);
    expect(isFresh(slow)).toBe(false);
  });
});

describe('the hash of inputs', () => {
  it('sees names, contents and moved files, but no build output', () => {
    mkdirSync(path.join(place, 'folder/inner'), { recursive: true });
    writeFileSync(path.join(place, 'folder/inner/a.ts'), 'a');
    const first = stage.key();
    mkdirSync(path.join(place, 'folder/dist'), { recursive: true });
    writeFileSync(path.join(place, 'folder/dist/bundle.js'), 'x');
    expect(stage.key()).toBe(first);
    rmSync(path.join(place, 'folder/inner/a.ts'));
    writeFileSync(path.join(place, 'folder/inner/b.ts'), 'a');
    expect(stage.key()).not.toBe(first);
  });
});
