import { L2mError } from '../errors.ts';

export interface CommitQueueOptions<Row> {
  /** Makes all rows durable or none. */
  readonly commit: (rows: readonly Row[]) => Promise<void>;
  /** Rows of one commit at most. */
  readonly maxBatch: number;
  /** Rows that may wait; more means that the disk does not follow. */
  readonly maxWaiting: number;
}

interface Waiting<Row> {
  readonly row: Row;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: a row is committed at once when nothing is under way; rows that arrive meanwhile share the next commit.
 * So a lone row waits for one disk sync only, and a burst costs a few.
 */
export class CommitQueue<Row> {
  readonly #options: CommitQueueOptions<Row>;
  #waiting: Waiting<Row>[] = [];
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: CommitQueueOptions<Row>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when the row is durable. */
  add(row: Row): Promise<void> {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      const error = new L2mError('L2M_STORE_UNWRITABLE', `${this.#waiting.length} results wait for the disk`);
      this.#failure ??= { error };
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Waits until nothing is left, whatever became of it. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Waits until nothing is left. @throws the first failure since the last flush */
  async flush(): Promise<void> {
    await this.settled();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  async #drain(): Promise<void> {
    // Lets everything that ends in the same turn of the event loop into the first commit.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, this.#options.maxBatch));
    this.#running = undefined;
  }

  async #commit(batch: readonly Waiting<Row>[]): Promise<void> {
    try {
      await this.#options.commit(batch.map((waiting) => waiting.row));
      for (const waiting of batch) waiting.resolve();
    } catch (error) {
      if (batch.length > 1 && !(error instanceof L2mError && error.code === 'L2M_STORE_UNWRITABLE')) {
        // One bad row must not take its neighbours with it.
        for (const waiting of batch) await this.#commit([waiting]);
        return;
      }
      this.#failure ??= { error };
      for (const waiting of batch) waiting.reject(error);
    }
  }
}
