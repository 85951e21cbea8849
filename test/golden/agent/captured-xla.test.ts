import { describe } from 'vitest';
import { TEST_BACKENDS } from '../../unit/agent/support/backend.ts';
import { GOLDEN_NAMES } from './golden-case.ts';
import { describeReferenceNumbers } from './reference-numbers.ts';

/** XLA compiles ten seconds a case; L2M_GOLDEN_XLA=all takes the two minutes for all twelve. */
const cases = process.env['L2M_GOLDEN_XLA'] === 'all' ? GOLDEN_NAMES : (['l2m_lora', 'adapter', 'l2p_pret'] as const);

describe.runIf(TEST_BACKENDS.includes('tensorflow'))('reference numbers of TensorFlow graphs with XLA', () => {
  const backend = { backend: 'tensorflow-cpu', xla: true, graphCache: false } as const;
  describeReferenceNumbers({ backend, compile: {}, form: 'graph', cases });
});
