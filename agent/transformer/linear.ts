import { add, matMul, reshape, type Tensor } from '../ops.ts';
import { parameter, type ParameterRecord } from '../weights/names.ts';

/**
 * A linear map over the last axis, as one two-dimensional product.
 *
 * @param x [..., in]
 * @param name its weight and bias are `name.weight` and `name.bias`
 * @param stored how the weight lies in the file: Conv1D layers `[in, out]`, Linear layers `[out, in]` (spec §7.3)
 * @returns [..., out], owned by the caller
 */
export function linear(
  parameters: ParameterRecord,
  x: Tensor,
  { name, stored }: { readonly name: string; readonly stored: 'in-out' | 'out-in' },
): Tensor {
  const weight = parameter(parameters, `${name}.weight`);
  return affine(x, { weight, bias: parameter(parameters, `${name}.bias`), transposed: stored === 'out-in' });
}

/** The same with the tensors themselves. */
export function affine(
  x: Tensor,
  { weight, bias, transposed }: { readonly weight: Tensor; readonly bias: Tensor; readonly transposed: boolean },
): Tensor {
  const inSize = x.shape[x.shape.length - 1]!;
  const outSize = weight.shape[transposed ? 0 : 1]!;
  const rows = reshape(x, [x.size / inSize, inSize]);
  const product = add(matMul(rows, weight, false, transposed), bias);
  return reshape(product, [...x.shape.slice(0, -1), outSize]);
}
