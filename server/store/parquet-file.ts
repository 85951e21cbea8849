import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBInstance,
  FLOAT,
  LIST,
  VARCHAR,
  listValue,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { storeError } from './store-error.ts';

const TYPES = {
  float: FLOAT,
  bigint: BIGINT,
  boolean: BOOLEAN,
  text: VARCHAR,
  floats: LIST(FLOAT),
  doubles: LIST(DOUBLE),
  bigints: LIST(BIGINT),
  texts: LIST(VARCHAR),
} as const satisfies Record<string, DuckDBType>;

export interface ParquetColumn {
  readonly name: string;
  readonly type: keyof typeof TYPES;
}

type Cell = number | boolean | string | readonly number[] | Float32Array | readonly string[];
/** One value a column, in their order. */
export type ParquetRow = readonly Cell[];

export interface ParquetContent {
  readonly columns: readonly ParquetColumn[];
  readonly rows: AsyncIterable<ParquetRow> | Iterable<ParquetRow>;
  /** Texts for the file's footer, by key. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Rows that DuckDB takes at once. */
const CHUNK_ROWS = 2048;

/**
 * Writes a Parquet file; its folder is made if missing.
 * @throws L2mError L2M_STORE_UNWRITABLE
 */
export async function writeParquet(path: string, { columns, rows, metadata = {} }: ParquetContent): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', autoload_known_extensions: 'false' });
  const connection = await instance.connect();
  try {
    await mkdir(dirname(path), { recursive: true });
    const types = columns.map(({ type }) => TYPES[type]);
    const list = columns.map(({ name }, i) => `${quoted(name, '"')} ${String(types[i])}`).join(', ');
    await connection.run(`CREATE TABLE content (${list})`);
    const appender = await connection.createAppender('content');
    const flush = (cells: readonly ParquetRow[]): void => {
      const chunk = DuckDBDataChunk.create(types, cells.length);
      chunk.setColumns(columns.map(({ type }, i) => cells.map((row) => valueOf(type, row[i] ?? 0))));
      appender.appendDataChunk(chunk);
    };
    let waiting: ParquetRow[] = [];
    for await (const row of rows) {
      waiting.push(row);
      if (waiting.length < CHUNK_ROWS) continue;
      flush(waiting);
      waiting = [];
    }
    if (waiting.length > 0) flush(waiting);
    appender.closeSync();
    const entries = Object.entries(metadata).map(([key, value]) => `${quoted(key, '"')}: ${quoted(value, "'")}`);
    const footer = entries.length === 0 ? '' : `, KV_METADATA {${entries.join(', ')}}`;
    await connection.run(`COPY content TO ${quoted(path, "'")} (FORMAT parquet, COMPRESSION snappy${footer})`);
  } catch (error) {
    throw storeError(error, path);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function valueOf(type: ParquetColumn['type'], cell: Cell): DuckDBValue {
  switch (type) {
    case 'bigint':
      return BigInt(cell as number);
    case 'bigints':
      return listValue((cell as readonly number[]).map(BigInt));
    case 'floats':
    case 'doubles':
    case 'texts':
      return listValue([...(cell as readonly (number | string)[])]);
    case 'float':
    case 'boolean':
    case 'text':
      return cell as number | boolean | string;
  }
}

function quoted(text: string, mark: '"' | "'"): string {
  return mark + text.replaceAll(mark, mark + mark) + mark;
}
