import type { TaskSpec } from '../../protocol/task.ts';
import type { ReadySession } from './session.ts';
import type { TickRow } from './tick-rows.ts';

/** What happened on the workers. A worker that is lost takes all its episodes with it; their late rows are dropped. */
export interface WorkerEvents {
  readonly ready: (worker: string, session: ReadySession) => void;
  readonly lost: (worker: string, reason: string) => void;
  readonly rows: (rows: readonly TickRow[], timing: TickTiming, worker: string) => void;
  readonly fault: (fault: { episode: number; code: string; message: string }) => void;
  readonly described: (spec: TaskSpec) => void;
  /** @param episode the only one that is drawn with it, if it is not that of the task */
  readonly scene: (task: string, scene: SceneBytes, episode: number | undefined) => void;
  readonly late: (count: number) => void;
}

export interface TickTiming {
  readonly simulateMs: number;
  readonly waitMs: number;
}

export interface SceneBytes {
  readonly hash: string;
  readonly manifest: Uint8Array;
  readonly assets: Uint8Array;
}
