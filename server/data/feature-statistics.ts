/** Minimum, maximum, mean and deviation of each dimension over rows that are seen one after the other. */
export class FeatureStatistics {
  readonly #minimum: number[];
  readonly #maximum: number[];
  readonly #mean: number[];
  readonly #squares: number[];
  #count = 0;

  constructor(size: number) {
    this.#minimum = new Array<number>(size).fill(Infinity);
    this.#maximum = new Array<number>(size).fill(-Infinity);
    this.#mean = new Array<number>(size).fill(0);
    this.#squares = new Array<number>(size).fill(0);
  }

  /** @param row as many numbers as there are dimensions */
  add(row: ArrayLike<number>): void {
    this.#count++;
    for (let i = 0; i < this.#mean.length; i++) {
      const value = row[i] ?? 0;
      this.#minimum[i] = Math.min(this.#minimum[i] ?? value, value);
      this.#maximum[i] = Math.max(this.#maximum[i] ?? value, value);
      // Welford: sums of large squares would lose what differs.
      const before = value - (this.#mean[i] ?? 0);
      const mean = (this.#mean[i] ?? 0) + before / this.#count;
      this.#mean[i] = mean;
      this.#squares[i] = (this.#squares[i] ?? 0) + before * (value - mean);
    }
  }

  /** In LeRobot's names; the deviation is that of the whole population. */
  result(): Record<'min' | 'max' | 'mean' | 'std' | 'count', number[]> {
    return {
      min: this.#minimum,
      max: this.#maximum,
      mean: this.#mean,
      std: this.#squares.map((sum) => Math.sqrt(sum / Math.max(1, this.#count))),
      count: [this.#count],
    };
  }
}
