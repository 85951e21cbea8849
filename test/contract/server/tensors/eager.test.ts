import { describe } from 'vitest';
import { describeTensorContract } from './suite.ts';

describe('compiled functions run eagerly by TensorFlow', () => {
  describeTensorContract({
    backend: { backend: 'tensorflow-cpu' },
    compile: { capture: false },
    captured: false,
  });
});
