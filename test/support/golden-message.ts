import type { PageEvent, PageRequest } from '../../protocol/dashboard-messages.ts';
import type { ServerMessage, WorkerMessage } from '../../protocol/simulator-messages.ts';

export type Direction = 'worker' | 'server' | 'pageEvent' | 'pageRequest';

export interface GoldenMessage {
  /** File name without extension: direction, type and, where a type has several, the variant. */
  readonly name: string;
  readonly direction: Direction;
  readonly message: WorkerMessage | ServerMessage | PageEvent | PageRequest;
  readonly frames: readonly Uint8Array[];
}
