import type { ServerConfig } from '../config-schema.ts';
import { L2mError } from '../errors.ts';
import { loadRecording, type LoadedRecording } from './load-recording.ts';
import { rewritten } from './recording-file.ts';
import type { RecordingLibrary } from './recording-library.ts';
import { resimulate, type Replay } from './resimulate.ts';

/** Each is a simulator process for some seconds, beside those of the runs. */
const MOST_WAITING = 8;

export interface PoseRebuilderOptions {
  readonly library: RecordingLibrary;
  readonly config: ServerConfig;
  /** Content address of a task's geometry, if it is known by now. */
  readonly sceneOf: (task: LoadedRecording['header']['task']) => string;
  /** Runs in progress: their recordings make no room for this one. */
  readonly liveRuns: () => ReadonlySet<string>;
}

/**
 * Gives recordings the poses that were not kept: simulates the episode again from its start and its actions, and keeps what
 * comes out only if every number that was recorded is met bit for bit. One at a time.
 */
export class PoseRebuilder {
  readonly #options: PoseRebuilderOptions;
  readonly #waiting = new Map<string, Promise<number>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PoseRebuilderOptions) {
    this.#options = options;
  }

  /**
   * Who asks for what is being made already gets the same.
   * @returns pictures in the recording, one of every step and one of the start
   * @throws L2M_RECORDING_UNKNOWN, L2M_RECORDING_INVALID, L2M_REPLAY_DIFFERENT, L2M_REPLAYS_WAITING, and what `resimulate` throws
   */
  rebuild(run: string, episode: string): Promise<number> {
    const name = `${run}/${episode}`;
    const known = this.#waiting.get(name);
    if (known !== undefined) return known;
    if (this.#waiting.size >= MOST_WAITING) {
      return Promise.reject(new L2mError('L2M_REPLAYS_WAITING', String(MOST_WAITING)));
    }
    const made = this.#last.then(() => this.#made(run, episode)).finally(() => this.#waiting.delete(name));
    this.#waiting.set(name, made);
    this.#last = made.catch(() => undefined);
    return made;
  }

  async #made(run: string, episode: string): Promise<number> {
    const { library, config, sceneOf, liveRuns } = this.#options;
    const bytes = await library.read(run, episode);
    const recording = await loadRecording(bytes);
    const { length, pictures, scene, task } = recording.header;
    if (pictures > length) return pictures;
    const rows: Float32Array[] = [];
    const replay = await resimulate(recording, config, (poses) => rows.push(poses.slice()));
    if (replay.kind === 'different') throw new L2mError('L2M_REPLAY_DIFFERENT', differenceWords(replay));
    const width = rows[0]?.length ?? 0;
    const poses = new Float32Array(rows.length * width);
    rows.forEach((row, step) => poses.set(row, step * width));
    const whole = await rewritten(
      bytes,
      { pictures: rows.length, poseRows: width / 7, scene: scene === '' ? sceneOf(task) : scene },
      { poseSteps: Uint32Array.from(rows, (_, step) => step), poses },
    );
    if (!whole.ok) throw new L2mError('L2M_RECORDING_INVALID', whole.error);
    if (!(await library.add({ run, episode, bytes: whole.value }, new Set([...liveRuns(), run])))) {
      throw new L2mError('L2M_STORE_UNWRITABLE', 'all recordings together have reached --record-limit-mb');
    }
    return rows.length;
  }
}

function differenceWords({ step, value }: Extract<Replay, { kind: 'different' }>): string {
  return `${value} from step ${step} on`;
}
