import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';
import type {
  Decided,
  ExplainedArrays,
  HostBackendView,
  HostModelView,
  HostReply,
  HostRequest,
  HostSettings,
  WindowArrays,
} from './host-messages.ts';

export interface AgentHostOptions extends HostSettings {
  /** Where the tensor library's own messages go. */
  readonly logFile: string;
  /** Replacements of a host that died, over the life of the server. */
  readonly restartBudget: number;
  /** Of a start or a load, without a word of progress. */
  readonly startDeadlineMs: number;
  readonly decideDeadlineMs: number;
  /** Program of the child; the host itself if absent. */
  readonly entry?: string;
}

export interface AgentHostEvents {
  readonly progress: (text: string) => void;
  readonly restarted: (restarts: number, reason: string) => void;
  readonly exhausted: (error: L2mError) => void;
}

interface Pending {
  readonly message: HostRequest;
  readonly resolve: (reply: HostReply) => void;
  readonly reject: (error: L2mError) => void;
  readonly deadlineMs: number;
  timer: NodeJS.Timeout | undefined;
}

type Body<Type extends HostRequest['type']> = Omit<Extract<HostRequest, { type: Type }>, 'request'>;
type LoadBody = Body<'load'>;
type ExplainBody = Body<'explain'>;
type RequestBody = LoadBody | ExplainBody | Body<'unload'> | Body<'prepare'> | Body<'decide'>;

/** What is to be loaded again after a restart, and the bytes that its version stands for. */
interface Loaded {
  readonly body: LoadBody;
  readonly content: string;
}

const HOST_ENTRY = fileURLToPath(new URL('./host-process.ts', import.meta.url));

/**
 * The child process that owns the tensor backend. If it dies or hangs it is started again, its models are loaded again,
 * and the requests it had in hand are asked again: context windows live in the server, so no episode is lost with it.
 */
export class AgentHost {
  readonly #options: AgentHostOptions;
  readonly #events: AgentHostEvents;
  readonly #log: number;
  readonly #pending = new Map<number, Pending>();
  readonly #loaded = new Map<string, Loaded>();
  #child: ChildProcess | undefined;
  #backend: HostBackendView | undefined;
  #restarts = 0;
  #nextRequest = 1;
  /** Counted here, as it has to outlive the process that decides. */
  #lastVersion = 0;
  #closing = false;
  #exhausted: L2mError | undefined;

  private constructor(options: AgentHostOptions, events: AgentHostEvents) {
    this.#options = options;
    this.#events = events;
    this.#log = openSync(options.logFile, 'a');
  }

  /** Starts the host and waits until its backend is up. @throws L2M_BACKEND_UNAVAILABLE */
  static async start(options: AgentHostOptions, events: AgentHostEvents): Promise<AgentHost> {
    const host = new AgentHost(options, events);
    await host.#launch();
    return host;
  }

  get backend(): HostBackendView | undefined {
    return this.#backend;
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  get ready(): boolean {
    return this.#backend !== undefined && this.#child?.connected === true;
  }

  /**
   * Loads a checkpoint folder under a name. Loading the same name again swaps the weights between two batches: at once where
   * only the pool differs, otherwise after compiling, during which decisions wait. None is lost, and each says its version.
   */
  async load(model: string, folder: string, maxBatch: number): Promise<HostModelView> {
    const content = await contentOf(folder);
    const dimensions = this.#loaded.get(model)?.body.dimensions ?? [];
    const body: LoadBody = { type: 'load', model, folder, maxBatch, dimensions, version: ++this.#lastVersion };
    const reply = await this.#ask(body, this.#options.startDeadlineMs);
    if (reply.type !== 'loaded') throw new L2mError('L2M_AGENT_LOST', `it answered ${reply.type} to load`);
    this.#loaded.set(model, { body, content });
    return reply.view;
  }

  /** Frees a model; its folder may go then. Decisions that are asked for later are refused. */
  async unload(model: string): Promise<void> {
    if (!this.#loaded.delete(model)) return;
    await this.#ask({ type: 'unload', model }, this.#options.decideDeadlineMs);
  }

  /** Compiles ahead for tasks with these action dimensions: likeliest actions also after every later restart, drawn ones for now. */
  async prepare(model: string, dimensions: readonly number[], drawn = false): Promise<void> {
    const loaded = this.#loaded.get(model);
    if (loaded === undefined) throw new L2mError('L2M_CHECKPOINT_INVALID', `${model} is not loaded`);
    const body = { ...loaded.body, dimensions: [...new Set([...loaded.body.dimensions, ...dimensions])] };
    if (!drawn) this.#loaded.set(model, { ...loaded, body });
    await this.#ask({ type: 'prepare', model, dimensions, drawn }, this.#options.startDeadlineMs);
  }

  async decide(model: string, windows: WindowArrays): Promise<Decided> {
    const reply = await this.#ask({ type: 'decide', model, windows }, this.#options.decideDeadlineMs);
    if (reply.type !== 'decided') throw new L2mError('L2M_AGENT_LOST', `it answered ${reply.type} to decide`);
    return reply;
  }

  /** What lay behind a decision that was taken. The first time for a model it compiles for a second or two. */
  async explain(body: Omit<ExplainBody, 'type'>): Promise<ExplainedArrays> {
    const reply = await this.#ask({ type: 'explain', ...body }, this.#options.decideDeadlineMs);
    if (reply.type !== 'explained') throw new L2mError('L2M_AGENT_LOST', `it answered ${reply.type} to explain`);
    return reply.explained;
  }

  async close(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    closeSync(this.#log);
    if (child?.connected !== true) return;
    await new Promise<void>((resolve) => {
      const killer = setTimeout(() => child.kill('SIGKILL'), 2000);
      child.once('exit', () => {
        clearTimeout(killer);
        resolve();
      });
      child.disconnect();
    });
    this.#failAll(new L2mError('L2M_AGENT_LOST', 'the server is closing'));
  }

  #ask(body: RequestBody, deadlineMs: number): Promise<HostReply> {
    if (this.#exhausted) return Promise.reject(this.#exhausted);
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      const pending = { message: { ...body, request }, resolve, reject, deadlineMs, timer: undefined };
      this.#pending.set(request, pending);
      if (this.ready) this.#send(pending);
    });
  }

  #send(pending: Pending): void {
    this.#child?.send(pending.message, () => undefined);
    this.#armOldest();
  }

  /** The host answers in order: while it compiles for one request, the time of those behind it does not run. */
  #armOldest(): void {
    const [oldest] = this.#pending.values();
    if (oldest === undefined || oldest.timer !== undefined) return;
    oldest.timer = setTimeout(() => {
      // Hung in native code: it cannot be asked to stop. Its death brings the replacement, and the request is asked again.
      this.#child?.kill('SIGKILL');
    }, oldest.deadlineMs);
  }

  #launch(): Promise<void> {
    const { backend, threadCount, precision, startDeadlineMs, entry = HOST_ENTRY } = this.#options;
    const settings: HostSettings = { backend, threadCount, precision };
    const child = fork(entry, [JSON.stringify(settings)], {
      serialization: 'advanced',
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', this.#log, this.#log, 'ipc'],
    });
    this.#child = child;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new L2mError('L2M_BACKEND_UNAVAILABLE', `it was not up after ${startDeadlineMs} ms`));
      }, startDeadlineMs);
      child.on('message', (reply: HostReply) => {
        if (reply.type === 'ready') {
          clearTimeout(late);
          this.#backend = reply.backend;
          resolve();
        } else if (reply.type === 'failed' && reply.request === undefined) {
          clearTimeout(late);
          reject(new L2mError(reply.code, reply.got));
        } else this.#receive(reply);
      });
      child.on('exit', (code, signal) => {
        clearTimeout(late);
        const reason = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
        reject(new L2mError('L2M_BACKEND_UNAVAILABLE', `the agent host ended with ${reason}`));
        this.#died(child, reason);
      });
    });
  }

  #receive(reply: HostReply): void {
    if (reply.type === 'progress') {
      this.#events.progress(reply.text);
      // A word of progress is a sign of life: on a busy machine a cold start compiles for minutes, and killed it would begin anew.
      const [working] = this.#pending.values();
      working?.timer?.refresh();
      return;
    }
    if (reply.type === 'ready' || reply.request === undefined) return;
    const pending = this.#pending.get(reply.request);
    if (pending === undefined) return;
    this.#pending.delete(reply.request);
    clearTimeout(pending.timer);
    this.#armOldest();
    if (reply.type === 'failed') pending.reject(new L2mError(reply.code, reply.got));
    else pending.resolve(reply);
  }

  #died(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    const wasUp = this.#backend !== undefined;
    this.#backend = undefined;
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.timer = undefined;
    }
    if (this.#closing || !wasUp) return;
    this.#restarts += 1;
    if (this.#restarts > this.#options.restartBudget) {
      this.#exhausted = new L2mError('L2M_AGENT_BUDGET', `${this.#restarts} times, last with ${reason}`);
      this.#failAll(this.#exhausted);
      this.#events.exhausted(this.#exhausted);
      return;
    }
    this.#events.restarted(this.#restarts, reason);
    void this.#recover();
  }

  async #recover(): Promise<void> {
    try {
      await this.#launch();
      const bodies: LoadBody[] = [];
      for (const [model, { body, content }] of this.#loaded) {
        const found = await contentOf(body.folder);
        // Other weights than before the restart are another version, whoever put them there.
        const current = found === content ? body : { ...body, version: ++this.#lastVersion };
        this.#loaded.set(model, { body: current, content: found });
        bodies.push(current);
      }
      // Models come first, as they are answered first.
      const again = [...this.#pending];
      this.#pending.clear();
      const loaded = bodies.map((body) => this.#ask(body, this.#options.startDeadlineMs));
      for (const [request, pending] of again) this.#pending.set(request, pending);
      for (const [, pending] of again) this.#send(pending);
      await Promise.all(loaded);
    } catch (cause) {
      this.#exhausted = new L2mError('L2M_AGENT_BUDGET', 'it could not be started again', { cause });
      this.#failAll(this.#exhausted);
      this.#events.exhausted(this.#exhausted);
    }
  }

  #failAll(error: L2mError): void {
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
  }
}

async function contentOf(folder: string): Promise<string> {
  const { files } = await readManifest(folder);
  return `${files.model.sha256}+${files.pool.sha256}`;
}
