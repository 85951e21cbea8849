import type { Tensor } from '../ops.ts';

/** Where the reference drops values while it learns (spec §1.1): the embedded window, attention weights, and what joins the residual stream. */
export type DropoutPlace = 'embedding' | 'attention' | 'residual';

/** Sets some values to zero and scales the others up; absent wherever nothing is dropped, as in every decision. */
export type Dropout = (x: Tensor, place: DropoutPlace) => Tensor;
