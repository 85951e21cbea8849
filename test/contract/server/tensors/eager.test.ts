import { describe } from 'vitest';
import { describeCompiledBehaviour } from './behaviour.ts';
import { describeTensorContract, type ContractSubject } from './suite.ts';

const subject: ContractSubject = {
  backend: { backend: 'tensorflow-cpu' },
  compile: { capture: false },
  captured: false,
};

describe('compiled functions run eagerly by TensorFlow', () => {
  describeTensorContract(subject);
  describeCompiledBehaviour(subject);
});
