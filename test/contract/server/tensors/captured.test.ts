import { describe } from 'vitest';
import { describeTensorContract } from './suite.ts';

describe('compiled functions as TensorFlow graphs without XLA', () => {
  describeTensorContract({
    backend: { backend: 'tensorflow-cpu', xla: false },
    compile: {},
    captured: true,
  });
});
