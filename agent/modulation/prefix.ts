import type { Tensor } from '../ops.ts';

/**
 * Keys and values that stand before the window in one block's attention, each [B or 1, H, n, E]; every token sees them. All forms of
 * prompts come down to this, because the window never changes what a prompt in front of it computes.
 */
export interface PrefixModulator {
  readonly kind: 'prefix';
  readonly key: Tensor;
  readonly value: Tensor;
}
