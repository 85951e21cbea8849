/** Collects single requests into batches for a worker that handles one batch at a time. */
export interface BatcherOptions<Request, Reply> {
  /** Most requests in one batch. */
  readonly maxBatch: number;
  /** Longest the oldest request waits for company while the handler is idle. */
  readonly maxWaitMs: number;
  /** Requests waiting at most; beyond it `submit` rejects, because whoever asks has stopped waiting for answers. */
  readonly maxQueue: number;
  /**
   * How many requests can be expected in all if we waited for everybody; the batch closes as soon as half of them are
   * here, so that the other half is being simulated meanwhile (double buffering).
   */
  readonly expected: () => number;
  /** Replies in the order of the requests. A rejection rejects every request of the batch. */
  readonly handle: (batch: readonly Request[]) => Promise<readonly Reply[]>;
  readonly observe?: (figures: BatchFigures) => void;
}

export interface BatchFigures {
  readonly size: number;
  readonly queueDepth: number;
  /** Waiting time of the oldest request of the batch. */
  readonly waitMs: number;
  readonly handleMs: number;
}

interface Waiting<Request, Reply> {
  readonly request: Request;
  readonly sinceMs: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (reason: unknown) => void;
}

export class Batcher<Request, Reply> {
  readonly #options: BatcherOptions<Request, Reply>;
  readonly #waiting: Waiting<Request, Reply>[] = [];
  #busy = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions<Request, Reply>) {
    this.#options = options;
  }

  get depth(): number {
    return this.#waiting.length;
  }

  submit(request: Request): Promise<Reply> {
    if (this.#waiting.length >= this.#options.maxQueue) {
      return Promise.reject(new RangeError(`the queue already holds ${this.#waiting.length} requests`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, sinceMs: performance.now(), resolve, reject });
      this.#consider();
    });
  }

  /** Rejects everything that waits; a batch in hand is left to its handler. */
  clear(reason: unknown): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #consider(): void {
    if (this.#busy || this.#waiting.length === 0) return;
    const enough = Math.min(this.#options.maxBatch, Math.max(1, Math.ceil(this.#options.expected() / 2)));
    const oldest = this.#waiting[0]?.sinceMs ?? 0;
    const leftMs = oldest + this.#options.maxWaitMs - performance.now();
    if (this.#waiting.length >= enough || leftMs <= 0) {
      void this.#run();
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#consider();
    }, leftMs);
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#busy = true;
    const batch = this.#waiting.splice(0, this.#batchSize());
    const startMs = performance.now();
    try {
      const replies = await this.#options.handle(batch.map(({ request }) => request));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const reply = replies[index];
        if (reply === undefined) reject(new RangeError(`batch of ${batch.length} got ${replies.length} replies`));
        else resolve(reply);
      }
    } catch (reason) {
      for (const { reject } of batch) reject(reason);
    } finally {
      this.#busy = false;
      const endMs = performance.now();
      this.#options.observe?.({
        size: batch.length,
        queueDepth: this.#waiting.length,
        waitMs: startMs - (batch[0]?.sinceMs ?? startMs),
        handleMs: endMs - startMs,
      });
      this.#consider();
    }
  }

  /**
   * Half of everybody, not all that wait: taking all would make the two groups fall into step again after the first
   * batch, and simulators and policy would wait for each other in turn.
   */
  #batchSize(): number {
    const half = Math.max(1, Math.ceil(this.#options.expected() / 2));
    return Math.min(this.#options.maxBatch, this.#waiting.length, Math.max(half, 1));
  }
}
