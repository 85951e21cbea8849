import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCompiler, findProgram, findPrograms } from '../../../../server/setup/find-tools.mjs';
import { chooseTensorflow } from '../../../../server/setup/tensorflow-wheel.mjs';
import { missingPackages } from '../../../../server/setup/node-modules.mjs';
import { lockedNames, whyNot } from '../../../../server/setup/python-environment.mjs';

let place = '';
beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), 'l2m-setup-'));
});
afterEach(() => {
  rmSync(place, { recursive: true, force: true });
});

describe('installed npm packages', () => {
  const locked = {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  };
  const write = (installed: unknown) => {
    writeFileSync(path.join(place, 'package-lock.json'), JSON.stringify({ packages: locked }));
    mkdirSync(path.join(place, 'node_modules'), { recursive: true });
    if (installed === undefined) return;
    writeFileSync(path.join(place, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
  };

  it('are complete without the optional ones of other platforms', () => {
    write({ 'node_modules/a': { version: '1.0.0' } });
    expect(missingPackages(place)).toEqual([]);
  });

  it('are all missing where an installation was cut off', () => {
    write(undefined);
    expect(missingPackages(place)).toHaveLength(3);
  });

  it('are told apart by version', () => {
    write({ 'node_modules/a': { version: '1.0.1' }, 'node_modules/b': { version: '2.0.1' } });
    expect(missingPackages(place)).toEqual(['node_modules/a', 'node_modules/b']);
  });
});

describe('programs', () => {
  it('are found in the order of the names, files only, executable only', () => {
    const folders = ['one', 'two'].map((name) => path.join(place, name));
    for (const folder of folders) mkdirSync(folder);
    const [one = '', two = ''] = folders;
    writeFileSync(path.join(one, 'plain'), '');
    mkdirSync(path.join(one, 'tool'));
    for (const [folder, name] of [
      [two, 'tool'],
      [two, 'other'],
    ] as const) {
      writeFileSync(path.join(folder, name), '');
      chmodSync(path.join(folder, name), 0o755);
    }
    const environment = { PATH: folders.join(path.delimiter) };
    expect(findPrograms(['other', 'tool'], environment)).toEqual([path.join(two, 'other'), path.join(two, 'tool')]);
    expect(findProgram(['plain'], environment)).toBeUndefined();
    expect(findProgram([path.join(two, 'tool')], {})).toBe(path.join(two, 'tool'));
  });

  it('are not found on an empty path', () => {
    expect(findCompiler({ PATH: '' })).toBeUndefined();
  });
});

describe('the choice of TensorFlow', () => {
  it('is WebAssembly, with the reason, where there is no compiler or where it is asked for', () => {
    expect(chooseTensorflow({ PATH: '' })).toMatchObject({
      kind: 'none',
      reason: expect.stringContaining('compiler') as string,
    });
    expect(chooseTensorflow({ ...process.env, L2M_TENSORFLOW: 'wasm' })).toMatchObject({ kind: 'none' });
  });

  it('refuses a word it does not know', () => {
    expect(() => chooseTensorflow({ L2M_TENSORFLOW: 'gpu' })).toThrow('use auto, cpu, cuda or wasm');
  });
});

describe('Python', () => {
  it('is taken from 3.10 to 3.13 with venv', () => {
    const usable = (version: string) => whyNot({ version, hasVenv: true }) === undefined;
    expect(['3.9.18', '3.10.0', '3.13.5', '3.14.0', '2.7.18', '4.0.0'].map(usable)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(whyNot({ version: '3.12.0', hasVenv: false })).toContain('venv');
  });

  it('is locked to versions, each with hashes, numpy below 2.4', () => {
    const lock = readFileSync('sim-bridge/requirements.lock', 'utf8');
    const requirements = lock.split(/\n(?=[A-Za-z])/).slice(1);
    for (const requirement of requirements) expect(requirement).toMatch(/^[a-z0-9-]+==[^ ]+ .*\\\n\s+--hash=sha256:/);
    expect(lockedNames(lock)).toContain('dm-control');
    expect(
      [...lock.matchAll(/^numpy==(\d+)\.(\d+)/gm)].every(([, major, minor]) => major === '2' && Number(minor) < 4),
    ).toBe(true);
  });
});
