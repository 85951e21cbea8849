/**
 * What the last steps of one episode asked for: the row with most votes decides the next step (`PoolSizes.voteSteps`). Among rows with equally
 * many the one that was asked for last, so that the vote does not depend on how rows are numbered.
 */
export class RowVote {
  readonly #steps: number;
  readonly #asked: number[] = [];

  /** @param steps the memory: how many steps have a vote */
  constructor(steps: number) {
    this.#steps = steps;
  }

  /** The row that decides the next step; -1 before the first. */
  get held(): number {
    const votes = new Map<number, number>();
    let [best, most] = [-1, 0];
    for (const row of [...this.#asked].reverse()) {
      votes.set(row, (votes.get(row) ?? 0) + 1);
    }
    for (const [row, count] of votes) if (count > most) [best, most] = [row, count];
    return best;
  }

  /** @param row what a step asked for, whatever decided it; below 0 for none */
  add(row: number): void {
    if (row < 0) return;
    this.#asked.push(row);
    if (this.#asked.length > this.#steps) this.#asked.shift();
  }
}
