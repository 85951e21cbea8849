import type { ModelConfig } from '../config.ts';
import { add, div, exp, mul, sub, withGradient, type Tensor } from '../ops.ts';
import { linear } from '../transformer/linear.ts';
import { adapterNames, type ParameterRecord } from '../weights/names.ts';

/** Maps [B, N, D] to [B, N, D]. */
type Bottleneck = (x: Tensor) => Tensor;

/** Two bottlenecks of one block, each before its residual sum (spec §4). */
export interface AdapterModulator {
  readonly kind: 'adapter';
  readonly afterAttention: Bottleneck;
  readonly afterFeedForward: Bottleneck;
}

export function blockAdapters(parameters: ParameterRecord, model: ModelConfig): AdapterModulator[] {
  const bottleneck =
    (name: string): Bottleneck =>
    (x) => {
      const narrow = swish(linear(parameters, x, { name: `${name}.adapter_down.0`, stored: 'out-in' }));
      return add(x, linear(parameters, narrow, { name: `${name}.adapter_up`, stored: 'out-in' }));
    };
  return Array.from({ length: model.blocks }, (_, block) => {
    const [first, second] = adapterNames(block);
    return { kind: 'adapter', afterAttention: bottleneck(first), afterFeedForward: bottleneck(second) };
  });
}

/** x times the logistic function of x. Its gradient is written out because that of `exp` overflows for large negative x. */
const swish = withGradient<[x: Tensor]>(([x], save) => {
  const share = div(1, add(1, exp(mul(x, -1))));
  save([x, share]);
  const gradFunc = (upstream: Tensor, saved: Tensor[]): Tensor => {
    const [x, share] = saved as [Tensor, Tensor];
    return mul(upstream, mul(share, add(1, mul(x, sub(1, share)))));
  };
  return { value: mul(x, share), gradFunc };
});
