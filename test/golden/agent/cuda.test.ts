import { describe } from 'vitest';
import { NO_CUDA, WHY_NO_CUDA } from '../../support/cuda.ts';
import { describeReferenceNumbers } from './reference-numbers.ts';

describe.runIf(NO_CUDA === null)(`reference numbers of TensorFlow graphs on CUDA${WHY_NO_CUDA}`, () => {
  describeReferenceNumbers({ backend: { backend: 'tensorflow-cuda', xla: false }, compile: {}, form: 'graph' });
});
