import { describe } from 'vitest';
import { describeTensorContract } from './suite.ts';

describe('compiled functions as TensorFlow graphs with XLA', () => {
  describeTensorContract({
    backend: { backend: 'tensorflow-cpu', xla: true },
    compile: {},
    captured: true,
  });
});
