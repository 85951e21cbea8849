/**
 * Reward and return of one episode against its steps. Bounded: when full, every second point goes, so that an episode of
 * any length keeps its whole shape.
 */
export class Curve {
  readonly steps: Float32Array;
  readonly rewards: Float32Array;
  readonly returns: Float32Array;
  length = 0;
  #stride = 1;

  constructor(capacity = 512) {
    this.steps = new Float32Array(capacity);
    this.rewards = new Float32Array(capacity);
    this.returns = new Float32Array(capacity);
  }

  clear(): void {
    this.length = 0;
    this.#stride = 1;
  }

  /** Points come in order of `step`; one that is nearer to the last than the present resolution replaces it. */
  add(step: number, reward: number, sum: number): void {
    const last = this.steps[this.length - 1];
    if (last !== undefined && this.length > 0 && step <= last) return;
    const beforeLast = this.length > 1 ? this.steps[this.length - 2] : undefined;
    if (beforeLast !== undefined && step - beforeLast < this.#stride) this.length--;
    if (this.length === this.steps.length) this.#halve();
    this.steps[this.length] = step;
    this.rewards[this.length] = reward;
    this.returns[this.length] = sum;
    this.length++;
  }

  #halve(): void {
    const kept = this.length >> 1;
    for (const column of [this.steps, this.rewards, this.returns]) {
      for (let index = 0; index < kept; index++) column[index] = column[index * 2] ?? 0;
    }
    this.length = kept;
    this.#stride = ((this.steps[kept - 1] ?? 0) - (this.steps[0] ?? 0)) / Math.max(1, kept - 1);
  }
}
