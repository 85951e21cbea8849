import type { Tensor } from '../ops.ts';

/**
 * Where the reference drops values while it learns (spec §1.1, §4): the embedded window, attention weights, what joins the
 * residual stream, and learned prompts.
 */
export type DropoutPlace = 'embedding' | 'attention' | 'residual' | 'prompt';

/** Sets some values to zero and scales the others up; absent wherever nothing is dropped, as in every decision. */
export type Dropout = (x: Tensor, place: DropoutPlace) => Tensor;
