import type { RandomSource } from '../random.ts';

export interface SphericalMeansOptions {
  /** D, length of a vector. */
  readonly width: number;
  /** Means wanted; fewer come back where there are fewer vectors. */
  readonly count: number;
  readonly random: RandomSource;
  readonly iterations?: number;
}

const ITERATIONS = 25;

/**
 * Directions that stand for many: k-means by cosine (Dhillon and Modha 2001), begun as k-means++. Fitted keys of a pool are such directions
 * of the queries that a task's windows ask with (beyond the paper).
 *
 * @param vectors [N, D]; vectors of length 0 take no part
 * @returns [k, D] of length 1 each, k = min(count, N)
 */
export function sphericalMeans(vectors: Float32Array, options: SphericalMeansOptions): Float32Array {
  const { width, random, iterations = ITERATIONS } = options;
  const points = unitRows(vectors, width);
  const size = points.length / width;
  const count = Math.min(options.count, size);
  let means = firstMeans(points, { width, count, random });
  let before: Int32Array | undefined;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const nearest = nearestRows(points, means, width);
    if (before !== undefined && nearest.every((mean, point) => mean === before?.[point])) break;
    before = nearest;
    means = meansOf(points, nearest, means);
  }
  return means;
}

/**
 * The row of `keys` with the largest cosine to each vector; the first of equal ones, as the pool chooses.
 *
 * @param vectors [N, D] of any length
 * @param keys [K, D] of length 1
 * @returns [N]
 */
export function nearestRows(vectors: Float32Array, keys: Float32Array, width: number): Int32Array {
  const candidates = rowsOf(keys, width);
  return Int32Array.from(rowsOf(vectors, width), (vector) => {
    let [nearest, best] = [0, -Infinity];
    for (let key = 0; key < candidates.length; key++) {
      const product = dot(vector, candidates[key]!);
      if (product > best) [nearest, best] = [key, product];
    }
    return nearest;
  });
}

/** The first at random, each further one with a probability that grows with its distance from the nearest so far (Arthur 2007). */
function firstMeans(
  points: Float32Array,
  { width, count, random }: { readonly width: number; readonly count: number; readonly random: RandomSource },
): Float32Array {
  const rows = rowsOf(points, width);
  const size = rows.length;
  const means = new Float32Array(count * width);
  const distances = new Float64Array(size).fill(Infinity);
  let chosen = random.below(size);
  for (let mean = 0; mean < count; mean++) {
    const begun = rows[chosen]!;
    means.set(begun, mean * width);
    let total = 0;
    rows.forEach((row, point) => {
      distances[point] = Math.max(0, Math.min(distances[point]!, 1 - dot(row, begun)));
      total += distances[point];
    });
    let left = random.uniform() * total;
    chosen = distances.findIndex((distance) => (left -= distance) < 0);
    if (chosen < 0) chosen = random.below(size);
  }
  return means;
}

/** A mean that lost all its points stays where it was. */
function meansOf(points: Float32Array, nearest: Int32Array, before: Float32Array): Float32Array {
  const width = points.length / nearest.length;
  const sums = new Float32Array(before.length);
  nearest.forEach((mean, point) => {
    for (let i = 0; i < width; i++) sums[mean * width + i]! += points[point * width + i]!;
  });
  for (let mean = 0; mean * width < sums.length; mean++) {
    const row = sums.subarray(mean * width, (mean + 1) * width);
    const length = Math.hypot(...row);
    if (length > 0) for (let i = 0; i < width; i++) row[i]! /= length;
    else row.set(before.subarray(mean * width, (mean + 1) * width));
  }
  return sums;
}

function unitRows(vectors: Float32Array, width: number): Float32Array {
  const rows: Float32Array[] = [];
  for (const row of rowsOf(vectors, width)) {
    const length = Math.hypot(...row);
    if (length > 0) rows.push(row.map((value) => value / length));
  }
  const unit = new Float32Array(rows.length * width);
  rows.forEach((row, i) => unit.set(row, i * width));
  return unit;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Views, not copies. */
function rowsOf(matrix: Float32Array, width: number): Float32Array[] {
  return Array.from({ length: matrix.length / width }, (_, row) => matrix.subarray(row * width, (row + 1) * width));
}
