import type { DuckDBConnection } from '@duckdb/node-api';
import { L2mError } from '../errors.ts';

/**
 * Every change of the tables since the first release, oldest first; the version of a file is the number of entries applied.
 * Entries are never edited: a new one is appended.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE runs (
       run VARCHAR PRIMARY KEY,
       kind VARCHAR NOT NULL,
       state VARCHAR NOT NULL,
       policy VARCHAR NOT NULL,
       checkpoint_hash VARCHAR,
       protocol VARCHAR,
       seed UINTEGER NOT NULL,
       tasks VARCHAR NOT NULL,
       planned_episodes INTEGER NOT NULL,
       redone_episodes INTEGER NOT NULL,
       configuration VARCHAR NOT NULL,
       provenance VARCHAR NOT NULL,
       message VARCHAR NOT NULL,
       started_at TIMESTAMP NOT NULL,
       finished_at TIMESTAMP)`,
    `CREATE TABLE episodes (
       run VARCHAR NOT NULL,
       task VARCHAR NOT NULL,
       start_index UINTEGER NOT NULL,
       attempt INTEGER NOT NULL,
       outcome VARCHAR NOT NULL,
       error_code VARCHAR,
       error_message VARCHAR,
       length INTEGER NOT NULL,
       total_return DOUBLE NOT NULL,
       success_any_time BOOLEAN,
       success_at_end BOOLEAN,
       first_success_step INTEGER,
       successes BOOLEAN[],
       selections SMALLINT[],
       similarity_mean DOUBLE,
       wall_seconds DOUBLE NOT NULL,
       worker VARCHAR NOT NULL,
       policy_version INTEGER NOT NULL,
       finished_at TIMESTAMP NOT NULL,
       PRIMARY KEY (run, task, start_index, attempt))`,
    `CREATE TABLE metrics (
       run VARCHAR NOT NULL,
       step INTEGER NOT NULL,
       name VARCHAR NOT NULL,
       value DOUBLE NOT NULL)`,
  ],
  // Steps in which a person had a part; an episode with any is not scored.
  ['ALTER TABLE episodes ADD COLUMN assisted_steps INTEGER DEFAULT 0'],
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings a file's tables to this release, one transaction per version.
 * @throws L2M_STORE_UNREADABLE if a newer release wrote the file
 */
export async function migrate(connection: DuckDBConnection, migrations = MIGRATIONS): Promise<void> {
  await connection.run(
    'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL)',
  );
  const reader = await connection.runAndReadAll('SELECT coalesce(max(version), 0)::INTEGER FROM schema_version');
  const present = Number(reader.value(0, 0));
  if (present > migrations.length) {
    const got = `its tables have version ${present}, this release knows versions up to ${migrations.length}`;
    throw new L2mError('L2M_STORE_UNREADABLE', got);
  }
  for (const [offset, statements] of migrations.slice(present).entries()) {
    await connection.run('BEGIN');
    try {
      for (const statement of statements) await connection.run(statement);
      await connection.run("INSERT INTO schema_version VALUES ($version, now() AT TIME ZONE 'UTC')", {
        version: present + offset + 1,
      });
      await connection.run('COMMIT');
    } catch (error) {
      await connection.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}
