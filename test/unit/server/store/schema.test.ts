import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newRunId, RUN_ID_PATTERN } from '../../../../server/store/run-id.ts';
import { migrate, SCHEMA_VERSION } from '../../../../server/store/schema.ts';
import { storeError } from '../../../../server/store/store-error.ts';

describe('migrate', () => {
  let instance: DuckDBInstance;
  let connection: DuckDBConnection;

  async function version(): Promise<number> {
    const reader = await connection.runAndReadAll('SELECT max(version)::INTEGER FROM schema_version');
    return Number(reader.value(0, 0));
  }

  beforeEach(async () => {
    instance = await DuckDBInstance.create(':memory:');
    connection = await instance.connect();
  });

  afterEach(() => {
    connection.closeSync();
    instance.closeSync();
  });

  it('makes the tables once and leaves them alone afterwards', async () => {
    await migrate(connection);
    await migrate(connection);
    expect(await version()).toBe(SCHEMA_VERSION);
    await connection.run('SELECT run, task, start_index, successes FROM episodes');
  });

  it('applies only what is missing', async () => {
    await migrate(connection, [['CREATE TABLE a (x INTEGER)']]);
    await migrate(connection, [['CREATE TABLE a (x INTEGER)'], ['ALTER TABLE a ADD COLUMN y INTEGER']]);
    await connection.run('INSERT INTO a (x, y) VALUES (1, 2)');
    expect(await version()).toBe(2);
  });

  it('takes a step back as a whole when one of its statements fails', async () => {
    await expect(migrate(connection, [['CREATE TABLE a (x INTEGER)', 'CREATE nonsense']])).rejects.toThrow();
    await migrate(connection, [['CREATE TABLE a (x INTEGER)']]);
    expect(await version()).toBe(1);
  });

  it('refuses tables of a newer release', async () => {
    await migrate(connection, [[], [], []]);
    await expect(migrate(connection, [[]])).rejects.toMatchObject({ code: 'L2M_STORE_UNREADABLE' });
  });
});

describe('storeError', () => {
  it('reads the texts of DuckDB and the codes of the system', () => {
    const cases = [
      [
        'IO Error: Could not set lock on file "/d/l2m.duckdb": Conflicting lock is held in node (PID 1). See also x',
        'L2M_STORE_BUSY',
      ],
      [
        'TransactionContext Error: Failed to commit: Could not write file "a.wal": No space left on device',
        'L2M_STORE_UNWRITABLE',
      ],
      ['IO Error: Cannot open file "/d/x": Permission denied', 'L2M_STORE_UNWRITABLE'],
      ['IO Error: The file "/d/g" exists, but it is not a valid DuckDB database file!', 'L2M_STORE_UNREADABLE'],
      ['Binder Error: no such column', 'L2M_INTERNAL'],
    ] as const;
    for (const [text, code] of cases) expect(storeError(new Error(text), '/d').code).toBe(code);
    expect(storeError(Object.assign(new Error('x'), { code: 'EROFS' }), '/d').code).toBe('L2M_STORE_UNWRITABLE');
    expect(storeError(new Error(cases[0][0]), '/d').message).not.toContain('See also');
  });
});

describe('newRunId', () => {
  it('is a valid name that tells kind and time', () => {
    const id = newRunId('evaluate', new Date('2026-11-23T18:45:12.345Z'));
    expect(id).toMatch(/^evaluate-20261123-184512-[a-z2-9]{4}$/);
    expect(id).toMatch(new RegExp(RUN_ID_PATTERN));
  });
});
