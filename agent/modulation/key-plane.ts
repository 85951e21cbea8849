/** A flat picture of a pool: the two directions in which its keys differ most. */
export interface KeyPlane {
  /** Projects vectors [n, D], made unit vectors first as the pool compares directions, to points [n, 2]. */
  project(vectors: ArrayLike<number>): Float32Array;
  /** Share of the keys' variance along each axis, 0..1. */
  readonly shares: readonly [number, number];
}

/** Enough for axes that a person looks at; where two directions are equally long, any in their plane will do. */
const ROUNDS = 200;

/**
 * Principal components of unit keys, by power iteration from a fixed start, so that the same keys give the same picture.
 *
 * @param keys [K, D] row-major
 */
export function keyPlane(keys: ArrayLike<number>, width: number): KeyPlane {
  const rows = unitRows(keys, width);
  const mean = new Float64Array(width);
  for (const row of rows) row.forEach((value, i) => (mean[i]! += value / rows.length));
  for (const row of rows) mean.forEach((value, i) => (row[i]! -= value));
  const total = rows.reduce((sum, row) => sum + dot(row, row), 0);
  const first = mainAxis(rows, width, null);
  const second = mainAxis(rows, width, first);
  const share = (axis: Float64Array): number =>
    total > 0 ? rows.reduce((sum, row) => sum + dot(row, axis) ** 2, 0) / total : 0;
  return {
    shares: [share(first), share(second)],
    project: (vectors) => {
      const centred = unitRows(vectors, width).map((row) => row.map((value, i) => value - mean[i]!));
      return Float32Array.from(centred.flatMap((row) => [dot(row, first), dot(row, second)]));
    },
  };
}

/** @param without an axis to stay perpendicular to */
function mainAxis(rows: readonly Float64Array[], width: number, without: Float64Array | null): Float64Array {
  let axis = normalised(
    Float64Array.from({ length: width }, (_, i) => Math.cos(i + (without === null ? 0 : 1))),
    without,
  );
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Float64Array(width);
    for (const row of rows) {
      const along = dot(row, axis);
      row.forEach((value, i) => (next[i]! += along * value));
    }
    const length = Math.sqrt(dot(next, next));
    if (length < 1e-12) return axis;
    axis = normalised(next, without);
  }
  return axis;
}

function normalised(x: Float64Array, without: Float64Array | null): Float64Array {
  const along = without === null ? 0 : dot(x, without);
  const rest = without === null ? x : x.map((value, i) => value - along * without[i]!);
  const length = Math.max(Math.sqrt(dot(rest, rest)), 1e-12);
  return rest.map((value) => value / length);
}

function unitRows(vectors: ArrayLike<number>, width: number): Float64Array[] {
  return Array.from({ length: vectors.length / width }, (_, row) => {
    const values = Float64Array.from({ length: width }, (_, i) => vectors[row * width + i]!);
    const length = Math.max(Math.sqrt(dot(values, values)), 1e-6);
    return values.map((value) => value / length);
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
