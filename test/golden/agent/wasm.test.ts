import { describe } from 'vitest';
import { describeReferenceNumbers } from './reference-numbers.ts';

describe('reference numbers of WebAssembly', () => {
  describeReferenceNumbers({ backend: { backend: 'wasm' }, compile: {}, form: 'eager' });
});
