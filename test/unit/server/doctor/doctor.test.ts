import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { askProgram } from '../../../../server/doctor/ask-program.ts';
import { dataFinding, judgeFreeSpace } from '../../../../server/doctor/data-findings.ts';
import { formatDoctorReport, reportOf } from '../../../../server/doctor/doctor.ts';
import { good, missing, warning } from '../../../../server/doctor/finding.ts';
import { judgeThreads } from '../../../../server/doctor/machine-findings.ts';
import { judgeSimulators, simulatorFindings } from '../../../../server/doctor/simulator-findings.ts';
import { judgeBackend, judgeNative } from '../../../../server/doctor/tensor-findings.ts';

const place = mkdtempSync(path.join(tmpdir(), 'l2m-doctor-'));
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
});

describe('report', () => {
  it('fails only for what is needed', () => {
    expect(reportOf([good('a', ''), warning('b', '', '')]).exitCode).toBe(0);
    expect(reportOf([good('a', ''), missing('b', '', '')]).exitCode).toBe(1);
  });

  it('says under each problem how to fix it', () => {
    const text = formatDoctorReport(
      reportOf([good('Node', '20'), warning('GPU', 'mute', 'Ask it.'), missing('Python', 'none', 'Install it.')]),
    );
    expect(text.split('\n')).toEqual([
      'ok    Node    20',
      'warn  GPU     mute',
      '              -> Ask it.',
      'MISS  Python  none',
      '              -> Install it.',
      '',
      '1 thing needed and missing. 1 thing could be better.',
    ]);
  });
});

describe('simulators', () => {
  const versions = {
    mujoco: '3.3.0',
    metaworld: '3.1.1',
    'dm-control': '1.0.28',
    numpy: '2.2.6',
    pyzmq: '27.3.0',
    msgpack: '1.2.4',
  };
  const lock = [
    '#',
    'dm-control==1.0.28 \\',
    'metaworld==3.1.1 \\',
    'msgpack==1.2.4 \\',
    "numpy==2.2.6 ; python_full_version < '3.11' \\",
    "numpy==2.3.5 ; python_full_version >= '3.11' \\",
    'mujoco==3.3.0 \\',
    'pyzmq==27.3.0 \\',
  ].join('\n');

  it('accepts any of the versions that the lock file names', () => {
    expect(judgeSimulators({ python: '3.10', versions }, lock).state).toBe('good');
    expect(judgeSimulators({ python: '3.12', versions: { ...versions, numpy: '2.3.5' } }, lock).state).toBe('good');
  });

  it('names a package of another version, and does not take a prefix for the whole', () => {
    const finding = judgeSimulators({ python: '3.12', versions: { ...versions, numpy: '2.3' } }, lock);
    expect(finding).toMatchObject({
      state: 'warning',
      detail: expect.stringMatching(/requirements\.lock: numpy$/) as string,
    });
  });

  it('misses a package that is not installed', () => {
    const { mujoco: _, ...rest } = versions;
    expect(judgeSimulators({ python: '3.12', versions: rest }, lock)).toMatchObject({
      state: 'missing',
      detail: 'mujoco not installed',
    });
  });

  it('misses an environment that does not exist or does not work', async () => {
    expect((await simulatorFindings(path.join(place, 'no-python')))[0]?.state).toBe('missing');
    expect((await simulatorFindings('/bin/false'))[0]?.state).toBe('missing');
  });
});

describe('tensors', () => {
  it('passes on why the native library was not built', () => {
    const state = { backend: 'wasm', reason: 'no C++ compiler found', tensorflowVersion: null } as const;
    expect(judgeNative(state)).toMatchObject({ state: 'warning', detail: 'not built: no C++ compiler found' });
    expect(judgeNative(undefined).state).toBe('warning');
  });

  it('does not complain of an unused GPU where there is none', () => {
    const fallbacks = [{ kind: 'tensorflow-cuda', reason: 'TensorFlow found no CUDA device' }] as const;
    const backend = { kind: 'tensorflow-cpu', fallbacks, text: 'TensorFlow 2.21.0 on the CPU' } as const;
    expect(judgeBackend(backend, false).state).toBe('good');
    expect(judgeBackend(backend, true)).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('no CUDA device') as string,
    });
  });
});

describe('machine', () => {
  it('warns when many more threads than cores would run', () => {
    expect(judgeThreads({ cores: 2, workers: 1, threads: 2 }).state).toBe('good');
    expect(judgeThreads({ cores: 8, workers: 7, threads: 5 }).state).toBe('good');
    expect(judgeThreads({ cores: 2, workers: 8, threads: 2 }).state).toBe('warning');
  });
});

describe('data directory', () => {
  it('leaves nothing behind and makes no directory', () => {
    expect(dataFinding(path.join(place, 'new/deep')).state).not.toBe('missing');
    expect(readdirSync(place)).toEqual([]);
  });

  it('misses a place that is no directory', () => {
    const file = path.join(place, 'file');
    writeFileSync(file, '');
    expect(dataFinding(path.join(file, 'data')).state).toBe('missing');
    rmSync(file);
  });

  it('grades the free space', () => {
    expect(judgeFreeSpace('/data', 5e7).state).toBe('missing');
    expect(judgeFreeSpace('/data', 1e9).state).toBe('warning');
    expect(judgeFreeSpace('/data', 1e10).state).toBe('good');
  });
});

describe('askProgram', () => {
  it('returns the answer, or the last line of the complaint', async () => {
    expect(await askProgram(process.execPath, ['-p', '6 * 7'])).toEqual({ ok: true, text: '42' });
    const script = 'console.error("first"); console.error("last"); process.exit(3)';
    expect(await askProgram(process.execPath, ['-e', script])).toEqual({ ok: false, reason: 'last' });
    expect(await askProgram(path.join(place, 'nothing'), [])).toMatchObject({ ok: false });
  });
});
