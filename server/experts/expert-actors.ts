import type { BackendOptions } from '../tensors/backend.ts';
import type { ActorsReply, ActorsRequest } from './actors-messages.ts';
import type { TrainedExpert } from './expert-file.ts';
import { QuestionProcess } from './question-process.ts';

export interface ExpertActorsOptions {
  readonly logFile: string;
  readonly backend: BackendOptions;
  /** Most observations of one question. */
  readonly rows: number;
}

/** Trained experts in a process of their own, started with the first of them. */
export class ExpertActors {
  readonly #options: ExpertActorsOptions;
  readonly #loaded = new Map<string, Promise<void>>();
  #process: QuestionProcess<ActorsRequest, ActorsReply> | undefined;

  constructor(options: ExpertActorsOptions) {
    this.#options = options;
  }

  get rows(): number {
    return this.#options.rows;
  }

  /** Makes an expert ready; at once if it is. @throws L2mError L2M_BACKEND_UNAVAILABLE, L2M_AGENT_LOST */
  load({ about, actor, sha256 }: TrainedExpert): Promise<void> {
    const known = this.#loaded.get(sha256);
    if (known !== undefined) return known;
    const { rows, backend } = this.#options;
    const loading = this.#started()
      .ask({ type: 'load', name: sha256, shape: about.shape, actor, rows, backend }, 'loaded')
      .then(() => undefined);
    this.#loaded.set(sha256, loading);
    return loading;
  }

  /** @param observations [n, W], n <= rows @returns [n, A] without chance */
  async choose({ sha256 }: TrainedExpert, observations: Float32Array): Promise<Float32Array> {
    return (await this.#started().ask({ type: 'choose', name: sha256, observations }, 'actions')).actions;
  }

  async close(): Promise<void> {
    await this.#process?.close();
  }

  #started(): QuestionProcess<ActorsRequest, ActorsReply> {
    this.#process ??= new QuestionProcess({
      ...{ entry: new URL('./actors-process.ts', import.meta.url), logFile: this.#options.logFile },
      ...{ name: 'the process of the trained experts', advice: 'then give the same command again' },
    });
    return this.#process;
  }
}
