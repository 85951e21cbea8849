import {
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  INTEGER,
  LIST,
  listValue,
  SMALLINT,
  TIMESTAMP,
  UINTEGER,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { scoredEpisodeOf, type EpisodeRecord } from './records.ts';

/** Types of the table's columns, in the order of `valuesOf`. */
const COLUMNS: readonly DuckDBType[] = [
  VARCHAR, // run
  VARCHAR, // task
  UINTEGER, // start_index
  INTEGER, // attempt
  VARCHAR, // outcome
  VARCHAR, // error_code
  VARCHAR, // error_message
  INTEGER, // length
  DOUBLE, // total_return
  BOOLEAN, // success_any_time
  BOOLEAN, // success_at_end
  INTEGER, // first_success_step
  LIST(BOOLEAN), // successes
  LIST(SMALLINT), // selections
  DOUBLE, // similarity_mean
  DOUBLE, // wall_seconds
  VARCHAR, // worker
  INTEGER, // policy_version
  TIMESTAMP, // finished_at
  INTEGER, // assisted_steps
];

/** Appends rows inside the connection's open transaction; one chunk takes 2048 rows. */
export async function appendEpisodes(connection: DuckDBConnection, records: readonly EpisodeRecord[]): Promise<void> {
  const appender = await connection.createAppender('episodes');
  try {
    const chunk = DuckDBDataChunk.create(COLUMNS);
    chunk.setRows(records.map(valuesOf));
    appender.appendDataChunk(chunk);
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

/**
 * Refuses what the tables could hold but no reader could use.
 * @throws RangeError
 */
export function assertEpisode(record: EpisodeRecord): void {
  const { task, start, length } = record;
  const where = `episode ${task} start ${start} attempt ${record.attempt}`;
  if (!Number.isInteger(length) || length < 0) throw new RangeError(`${where}: length ${length}`);
  if (!Number.isFinite(record.return)) throw new RangeError(`${where}: return ${record.return} is not a number`);
  if (!Number.isFinite(record.wallSeconds)) throw new RangeError(`${where}: wallSeconds ${record.wallSeconds}`);
  if (record.similarityMean !== null && !Number.isFinite(record.similarityMean)) {
    throw new RangeError(`${where}: similarityMean ${record.similarityMean}`);
  }
  if (record.selections !== null && record.selections.length !== length) {
    throw new RangeError(`${where}: ${record.selections.length} selections for ${length} steps`);
  }
  if ((record.outcome === 'success' || record.outcome === 'failure') && record.successes.length !== length) {
    throw new RangeError(`${where}: ${record.successes.length} success bits for ${length} steps`);
  }
}

function valuesOf(record: EpisodeRecord): DuckDBValue[] {
  const { firstSuccessStep, successAtEnd } = scoredEpisodeOf(record);
  const failed = record.outcome === 'error';
  const successes = record.outcome === 'success' || record.outcome === 'failure' ? record.successes : null;
  return [
    record.run,
    record.task,
    record.start,
    record.attempt,
    record.outcome,
    failed ? record.errorCode : null,
    failed ? record.errorMessage : null,
    record.length,
    record.return,
    successes === null ? null : firstSuccessStep !== null,
    successAtEnd,
    firstSuccessStep,
    successes === null ? null : listValue(Array.from(successes, (bit) => bit !== 0)),
    record.selections === null ? null : listValue(Array.from(record.selections)),
    record.similarityMean,
    record.wallSeconds,
    record.worker,
    record.policyVersion,
    new DuckDBTimestampValue(BigInt(record.finishedAt.getTime()) * 1000n),
    record.assistedSteps ?? 0,
  ];
}
