import type { ActionRow } from '../simulators/act-message.ts';
import type { WorkerHub } from '../simulators/worker-hub.ts';
import type { HandledStep } from './step-gate.ts';

interface Pending {
  readonly rows: ActionRow[];
  readonly actions: Float32Array[];
}

/**
 * Gathers the actions that become known in one turn of the event loop into one message per worker: the replies of one
 * batch arrive as separate promises, but a simulator tick is cheapest when it steps all of them together.
 */
export class ActionOutbox {
  readonly #pending = new Map<string, Pending>();
  readonly #hub: WorkerHub;
  #scheduled = false;

  constructor(hub: WorkerHub) {
    this.#hub = hub;
  }

  /** @param step what to do, and a person's share in it */
  push(worker: string, row: { environment: number; episode: number }, step: HandledStep): void {
    let pending = this.#pending.get(worker);
    if (pending === undefined) {
      pending = { rows: [], actions: [] };
      this.#pending.set(worker, pending);
    }
    const { environment, episode } = row;
    const { action, weight, pull } = step;
    const handled = weight !== undefined || pull !== undefined;
    pending.rows.push(handled ? { environment, episode, weight, pull } : { environment, episode });
    pending.actions.push(action);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Runs after all promise callbacks queued so far, so after every reply of the batch.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    for (const [worker, { rows, actions }] of this.#pending) {
      const width = actions.reduce((widest, action) => Math.max(widest, action.length), 1);
      const matrix = new Float32Array(rows.length * width);
      for (const [index, action] of actions.entries()) matrix.set(action, index * width);
      if (this.#hub.sessions().has(worker)) this.#hub.act(worker, rows, matrix);
    }
    this.#pending.clear();
  }
}
