import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fastestForm, type GraphForm } from '../../../../server/tensors/fastest-form.ts';

const backend = { capture: true, xla: true };
vi.mock('../../../../server/tensors/backend.ts', () => ({
  currentBackend: () => backend,
  describeBackend: () => 'a backend',
}));

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'l2m-forms-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
  Object.assign(backend, { capture: true, xla: true });
});

describe('the faster form of a graph', () => {
  const raced: GraphForm[] = [];
  let open = 0;
  const ask = (speeds: Record<GraphForm, number[]>, work = 'work'): GraphForm =>
    fastestForm({
      work,
      file: path.join(folder, 'forms.json'),
      prepare: (form) => {
        raced.push(form);
        open += 1;
        return { runMs: () => speeds[form].shift() ?? 100, dispose: () => (open -= 1) };
      },
    });
  beforeEach(() => void raced.splice(0));

  it('is that with the best run, and is remembered for the same work', () => {
    expect(ask({ xla: [50, 9, 30, 30], graph: [10, 10, 10, 10] })).toBe('xla');
    expect(open).toBe(0);
    expect(ask({ xla: [], graph: [1] })).toBe('xla');
    expect(raced).toEqual(['xla', 'graph']);
    expect(ask({ xla: [], graph: [1] }, 'other work')).toBe('graph');
    expect(Object.values(JSON.parse(readFileSync(path.join(folder, 'forms.json'), 'utf8')) as object)).toEqual([
      'xla',
      'graph',
    ]);
  });

  it('is raced again where what was remembered cannot be read', () => {
    writeFileSync(path.join(folder, 'forms.json'), '{"wor');
    expect(ask({ xla: [], graph: [1] })).toBe('graph');
  });

  it('is the plain graph without XLA, without a race', () => {
    backend.xla = false;
    expect(ask({ xla: [1], graph: [] })).toBe('graph');
    expect(raced).toEqual([]);
  });
});
