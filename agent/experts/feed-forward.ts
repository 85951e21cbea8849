import { add, cast, greater, matMul, mul, relu, withGradient, type Tensor } from '../ops.ts';

/** tfjs' own gradient of relu takes seven operations on the input; the output says the same with two. */
const rectified = withGradient<readonly [Tensor]>(([x], save) => {
  const value = relu(x);
  save([value]);
  return { value, gradFunc: (upstream, [kept]) => [mul(upstream, cast(greater(kept!, 0), 'float32'))] };
});

/**
 * Linear layers with rectified units between them.
 * @param x [B, in]
 * @param pieces weight [in, out] and bias [out] of each layer, in order
 * @returns [B, out]
 */
export function feedForward(x: Tensor, pieces: readonly Tensor[]): Tensor {
  let current = x;
  for (let layer = 0; layer < pieces.length; layer += 2) {
    const sum = add(matMul(current, pieces[layer]!), pieces[layer + 1]!);
    current = layer + 2 < pieces.length ? rectified(sum) : sum;
  }
  return current;
}
