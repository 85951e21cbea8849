import { describe } from 'vitest';
import { NO_CUDA, WHY_NO_CUDA } from '../../support/cuda.ts';
import { describeReferenceNumbers } from './reference-numbers.ts';

/** Each case costs XLA half a minute; these three cover the pools of both kinds and the bare model. */
const cases = ['mddt', 'l2m_lora', 'l2m_ia3'] as const;

describe.runIf(NO_CUDA === null)(`reference numbers of graphs with XLA on CUDA${WHY_NO_CUDA}`, () => {
  describeReferenceNumbers({ backend: { backend: 'tensorflow-cuda', xla: true }, compile: {}, form: 'graph', cases });
});
