import { describe } from 'vitest';
import { describeCompiledBehaviour } from './behaviour.ts';
import { describeTensorContract, type ContractSubject } from './suite.ts';

const subject: ContractSubject = {
  backend: { backend: 'javascript' },
  compile: {},
  captured: false,
};

describe('compiled functions run eagerly in JavaScript', () => {
  describeTensorContract(subject);
  describeCompiledBehaviour(subject);
});
