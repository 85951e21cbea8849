import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunState } from '../../protocol/dashboard-views.ts';
import type { MetricPoint } from '../store/records.ts';
import { RUN_ID_PATTERN } from '../store/run-id.ts';
import type { RunStore } from '../store/run-store.ts';
import { errorFromUnknown } from '../errors.ts';
import { readMetrics } from './metrics-log.ts';
import type { PretrainProgress } from './pretrain-events.ts';

/** A trainer reports every few seconds; one that is silent for longer has ended, saving and measuring included. */
const SILENT_MS = 150_000;
/** Names the run of a training that writes into a store by itself (`server/store/training-run.ts`). */
const RUN_FILE = 'run.txt';
const CURVES = ['loss', 'heldOutLoss', 'learningRate', 'gradientNorm', 'windowsPerSecond'] as const;

interface Known {
  readonly bytes: number;
  readonly rows: number;
  readonly last: PretrainProgress;
  readonly state: RunState;
}

/**
 * Takes the curves of trainings into the store while they are written. A trainer is a process of its own, which may live longer than
 * any server and shares nothing with it but its folder; that is read, never written.
 */
export class TrainingImport {
  readonly #store: RunStore;
  readonly #folder: string;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  #syncing: Promise<void> | undefined;

  /** @param folder holds a folder for each training, by name */
  constructor(store: RunStore, folder: string, now: () => number = Date.now) {
    this.#store = store;
    this.#folder = folder;
    this.#now = now;
  }

  /** Brings the store up to what the folders say now; calls meanwhile join the one that is under way. */
  sync(): Promise<void> {
    this.#syncing ??= this.#all().finally(() => (this.#syncing = undefined));
    return this.#syncing;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#syncing?.catch(() => undefined);
  }

  async #all(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names.sort()) {
      if (new RegExp(RUN_ID_PATTERN).test(runOf(name))) await this.#one(name);
    }
  }

  async #one(name: string): Promise<void> {
    const path = join(this.#folder, name, 'metrics.jsonl');
    const file = await stat(path).catch(() => undefined);
    if (file === undefined || file.size === 0 || existsSync(join(this.#folder, name, RUN_FILE))) return;
    const run = runOf(name);
    const known = this.#known.get(run);
    const silent = this.#now() - file.mtimeMs > SILENT_MS;
    if (known?.bytes === file.size && (known.state !== 'running' || !silent)) return;
    const rows = readMetrics(path);
    const last = rows.at(-1);
    if (last === undefined) return;
    await this.#ensureRun(run, name, file.birthtime);
    await this.#record(run, rows, known);
    const state = last.progress >= 1 ? 'finished' : silent ? 'stopped' : 'running';
    await this.#store.updateRun(run, { state, message: messageOf(last) });
    this.#known.set(run, { bytes: file.size, rows: rows.length, last, state });
  }

  /** A training that is resumed or begun anew rewrites its file: then everything is taken anew. */
  async #record(run: string, rows: readonly PretrainProgress[], known: Known | undefined): Promise<void> {
    if (known !== undefined && isSame(rows[known.rows - 1], known.last)) {
      await this.#store.recordMetrics(run, rows.slice(known.rows).flatMap(pointsOf));
      return;
    }
    const points = rows.flatMap(pointsOf);
    const stored = await this.#store.metrics(run);
    const same = stored.length === points.length && stored.at(-1)?.value === points.at(-1)?.value;
    if (!same) await this.#store.replaceMetrics(run, points);
  }

  async #ensureRun(run: string, name: string, startedAt: Date): Promise<void> {
    try {
      await this.#store.getRun(run);
    } catch (thrown) {
      if (errorFromUnknown(thrown).code !== 'L2M_RUN_UNKNOWN') throw thrown;
      await this.#store.createRun({
        ...{ run, kind: 'pretrain', state: 'running', policy: `training ${name}`, protocol: null, seed: 0, tasks: [] },
        ...{ checkpointHash: null, configuration: {}, startedAt: startedAt.toISOString() },
        provenance: { versions: {}, command: [], gitCommit: null, host: {} },
      });
    }
  }
}

function runOf(name: string): string {
  return `training-${name}`;
}

/** Whether what was there before is still there. */
function isSame(row: PretrainProgress | undefined, known: PretrainProgress): boolean {
  return row?.update === known.update && row.loss === known.loss && row.elapsedSeconds === known.elapsedSeconds;
}

function pointsOf(row: PretrainProgress): MetricPoint[] {
  return CURVES.flatMap((name) => {
    const value = row[name];
    return value === undefined ? [] : [{ step: row.update, name, value }];
  });
}

function messageOf({ update, progress, secondsLeft }: PretrainProgress): string {
  const left = progress < 1 ? `, ${Math.ceil(secondsLeft / 60)} min left when last heard` : '';
  return `${update} updates, ${Math.round(progress * 100)} %${left}`;
}
