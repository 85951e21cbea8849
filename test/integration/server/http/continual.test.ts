import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PERFORMANCE_MATRIX_FILE, type PerformanceMatrix } from '../../../../protocol/performance-matrix.ts';
import { PerformanceMatrices } from '../../../../server/store/performance-matrices.ts';
import { openTestServer, type TestServer } from './test-server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await openTestServer();
});

afterEach(() => server.close());

function matrix(name: string, evaluations = 1): PerformanceMatrix {
  return {
    ...{ format: 'l2m-performance-matrix-1', name, method: 'l2m-lora', seed: 1, state: 'running' },
    sequence: ['metaworld/push-v3'],
    others: ['metaworld/reach-v3'],
    rows: Array.from({ length: evaluations }, (_, stage) => ({
      ...{ stage, stageTask: stage === 0 ? null : 'metaworld/push-v3', task: 'metaworld/push-v3' },
      ...{ success: 0.5, k: 5, n: 10, update: 100 * stage },
    })),
  };
}

async function write(folder: string, content: string): Promise<string> {
  const path = join(server.directory, 'continual', folder);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, PERFORMANCE_MATRIX_FILE), content);
  return path;
}

const listed = async () =>
  (await server.api.inject('/api/continual')).json<{ matrices: PerformanceMatrix[] }>().matrices;

describe('GET /api/continual', () => {
  it('has nothing before the first training', async () => {
    expect(await listed()).toEqual([]);
  });

  it('follows a training as it is evaluated, and finds those of a sweep', async () => {
    await write('one', JSON.stringify(matrix('one')));
    expect(await listed()).toEqual([matrix('one')]);
    await write('one', JSON.stringify(matrix('one', 3)));
    await write('sweep/full-2', JSON.stringify(matrix('full-2')));
    const both = await listed();
    expect(both.map(({ name }) => name).sort()).toEqual(['full-2', 'one']);
    expect(both.find(({ name }) => name === 'one')?.rows).toHaveLength(3);
  });

  it('passes over what is no matrix and tells it once', async () => {
    await write('good', JSON.stringify(matrix('good')));
    await write('torn', '{"format": "l2m-perf');
    await write('other', JSON.stringify({ ...matrix('other'), rows: [{ stage: -1 }] }));
    const told: string[] = [];
    const matrices = new PerformanceMatrices(join(server.directory, 'continual'), (path) => told.push(path));
    for (let time = 0; time < 3; time++) expect((await matrices.list()).map(({ name }) => name)).toEqual(['good']);
    expect(told).toHaveLength(2);
    await write('torn', JSON.stringify(matrix('mended')));
    expect((await matrices.list()).map(({ name }) => name).sort()).toEqual(['good', 'mended']);
  });
});
