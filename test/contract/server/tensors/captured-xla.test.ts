import { describe } from 'vitest';
import { describeCompiledBehaviour } from './behaviour.ts';
import { describeTensorContract, type ContractSubject } from './suite.ts';

const subject: ContractSubject = {
  backend: { backend: 'tensorflow-cpu', xla: true, graphCache: false },
  compile: {},
  captured: true,
};

describe('compiled functions as TensorFlow graphs with XLA', () => {
  describeTensorContract(subject);
  describeCompiledBehaviour(subject);
});
