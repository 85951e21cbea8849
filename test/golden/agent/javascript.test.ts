import { describe } from 'vitest';
import { describeReferenceNumbers } from './reference-numbers.ts';

/** Slow, and for tests only: the other cases are left to the backends that people use. */
const cases = ['mddt', 'l2m_lora', 'l2m_ia3'] as const;

describe('reference numbers of plain JavaScript', () => {
  describeReferenceNumbers({ backend: { backend: 'javascript' }, compile: {}, form: 'eager', cases });
});
