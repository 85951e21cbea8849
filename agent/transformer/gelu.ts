import { add, erf, exp, mul, square, withGradient, type Tensor } from '../ops.ts';

/**
 * The exact Gaussian error linear unit, x times the normal distribution function (spec §1.1; not the tanh approximation).
 *
 * @param x any shape
 */
export const gelu = withGradient<[x: Tensor]>(([x], save) => {
  const distribution = add(mul(erf(mul(x, Math.SQRT1_2)), 0.5), 0.5);
  save([x, distribution]);
  const gradFunc = (upstream: Tensor, saved: Tensor[]): Tensor => {
    const [x, distribution] = saved as [Tensor, Tensor];
    const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return mul(upstream, add(distribution, mul(x, density)));
  };
  return { value: mul(x, distribution), gradFunc };
});
