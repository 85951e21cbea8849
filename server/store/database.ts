import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DuckDBInstance, type DuckDBConnection, type DuckDBValue, type JS } from '@duckdb/node-api';
import { L2mError } from '../errors.ts';
import { makeDirectory } from './make-directory.ts';
import { readOwner, removeOwner, writeOwner } from './owner-file.ts';
import { migrate } from './schema.ts';
import { storeError } from './store-error.ts';

export type Row = Record<string, JS>;
export type Values = Record<string, DuckDBValue>;

/** The database takes this from other processes only, not from a second opener in the same one. */
const openHere = new Set<string>();

/** Nothing is fetched from the network at run time; sorting and grouping of results need little memory. */
const SETTINGS = {
  threads: '1',
  memory_limit: '512MB',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

interface Parts {
  /** Null: in memory. */
  readonly directory: string | null;
  readonly instance: DuckDBInstance;
  readonly writer: DuckDBConnection;
  readonly reader: DuckDBConnection;
}

/** One DuckDB file with one connection for writing, used by one transaction at a time, and one for reading. */
export class Database {
  readonly #parts: Parts;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * @param directory made if missing; null keeps everything in memory
   * @throws L2M_STORE_BUSY, L2M_STORE_UNWRITABLE, L2M_STORE_UNREADABLE
   */
  static async open(directory: string | null): Promise<Database> {
    if (directory === null) return new Database(await connect(null, ':memory:'));
    const place = resolve(directory);
    const real = await makeDirectory(place)
      .then(() => realpath(place))
      .catch((error: unknown) => {
        throw storeError(error, place);
      });
    if (openHere.has(real)) throw new L2mError('L2M_STORE_BUSY', `${real} is already open in this process`);
    openHere.add(real);
    try {
      return new Database(await connect(real, join(real, 'l2m.duckdb')));
    } catch (error) {
      openHere.delete(real);
      throw await withOwner(storeError(error, real), real);
    }
  }

  get directory(): string | null {
    return this.#parts.directory;
  }

  /** Rows of committed data; big integers must be cast to INTEGER or DOUBLE in the statement. */
  async read(sql: string, values: Values = {}): Promise<Row[]> {
    try {
      const reader = await this.#parts.reader.runAndReadAll(sql, values);
      return reader.getRowObjectsJS();
    } catch (error) {
      throw this.#error(error);
    }
  }

  /** Runs `work` in a transaction after all earlier ones; it is durable when the promise resolves, or did not happen. */
  write<Value>(work: (connection: DuckDBConnection) => Promise<Value>): Promise<Value> {
    const written = this.#lastWrite.then(() => this.#transaction(work));
    this.#lastWrite = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#lastWrite;
    this.#parts.reader.closeSync();
    this.#parts.writer.closeSync();
    this.#parts.instance.closeSync();
    const { directory } = this.#parts;
    if (directory === null) return;
    openHere.delete(directory);
    await removeOwner(directory);
  }

  async #transaction<Value>(work: (connection: DuckDBConnection) => Promise<Value>): Promise<Value> {
    const { writer } = this.#parts;
    try {
      await writer.run('BEGIN');
      const value = await work(writer);
      await writer.run('COMMIT');
      return value;
    } catch (error) {
      // A failed commit has rolled back by itself; then this one is refused.
      await writer.run('ROLLBACK').catch(() => undefined);
      throw this.#error(error);
    }
  }

  #error(error: unknown): L2mError {
    return storeError(error, this.#parts.directory ?? 'memory');
  }
}

async function connect(directory: string | null, file: string): Promise<Parts> {
  const instance = await DuckDBInstance.create(file, SETTINGS);
  try {
    const writer = await instance.connect();
    await migrate(writer);
    if (directory !== null) await writeOwner(directory, null);
    return { directory, instance, writer, reader: await instance.connect() };
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

async function withOwner(error: L2mError, directory: string): Promise<L2mError> {
  if (error.code !== 'L2M_STORE_BUSY') return error;
  const owner = await readOwner(directory);
  if (owner === undefined) return error;
  const where = owner.url === null ? '' : `, ${owner.url}`;
  const got = `${directory} belongs to process ${owner.pid} on ${owner.host} since ${owner.startedAt}${where}`;
  return new L2mError('L2M_STORE_BUSY', got, { cause: error });
}
