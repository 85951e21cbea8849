import { describe } from 'vitest';
import { TEST_BACKENDS } from '../../unit/agent/support/backend.ts';
import { describeReferenceNumbers } from './reference-numbers.ts';

describe.runIf(TEST_BACKENDS.includes('tensorflow'))('reference numbers of TensorFlow graphs', () => {
  describeReferenceNumbers({ backend: { backend: 'tensorflow-cpu', xla: false }, compile: {}, form: 'graph' });
});
