import { describe } from 'vitest';
import { describeTensorContract } from './suite.ts';

describe('compiled functions run eagerly by WebAssembly', () => {
  describeTensorContract({
    backend: { backend: 'wasm' },
    compile: {},
    captured: false,
  });
});
