import { describe } from 'vitest';
import { describeTensorContract } from './suite.ts';

describe('compiled functions run eagerly in JavaScript', () => {
  describeTensorContract({
    backend: { backend: 'javascript' },
    compile: {},
    captured: false,
  });
});
