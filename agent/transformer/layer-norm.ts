import { add, meanKept, mul, reshape, rsqrt, square, sub, sumKept, withGradient, type Tensor } from '../ops.ts';
import { parameter, type ParameterRecord } from '../weights/names.ts';

/** Epsilon of every layer norm of the model (spec §1.1). */
const EPSILON = 1e-5;

/**
 * Layer norm over the last axis: `name.weight * (x - mean) / deviation + name.bias`.
 * Its gradient is written out because tfjs would multiply by a tensor of ones of full size that it fills in JavaScript.
 *
 * @param x [..., D]
 * @returns [..., D], owned by the caller
 */
export function layerNorm(parameters: ParameterRecord, x: Tensor, name: string): Tensor {
  return normalise(x, parameter(parameters, `${name}.weight`), parameter(parameters, `${name}.bias`));
}

const normalise = withGradient<[x: Tensor, weight: Tensor, bias: Tensor]>(([x, weight, bias], save) => {
  const centred = sub(x, meanKept(x));
  const inverse = rsqrt(add(meanKept(square(centred)), EPSILON));
  const unit = mul(centred, inverse);
  save([unit, inverse, weight]);
  const gradFunc = (upstream: Tensor, saved: Tensor[]): Tensor[] => {
    const [unit, inverse, weight] = saved as [Tensor, Tensor, Tensor];
    const scaled = mul(upstream, weight);
    const alongUnit = mul(unit, meanKept(mul(scaled, unit)));
    const toX = mul(inverse, sub(sub(scaled, meanKept(scaled)), alongUnit));
    return [toX, sumOverRows(mul(upstream, unit)), sumOverRows(upstream)];
  };
  return { value: add(mul(unit, weight), bias), gradFunc };
});

function sumOverRows(x: Tensor): Tensor {
  const width = x.shape[x.shape.length - 1]!;
  return reshape(sumKept(reshape(x, [x.size / width, width]), 0), [width]);
}
