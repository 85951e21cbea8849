import { describe } from 'vitest';
import { describeCompiledBehaviour } from './behaviour.ts';
import { describeTensorContract, type ContractSubject } from './suite.ts';

const subject: ContractSubject = {
  backend: { backend: 'wasm' },
  compile: {},
  captured: false,
};

describe('compiled functions run eagerly by WebAssembly', () => {
  describeTensorContract(subject);
  describeCompiledBehaviour(subject);
});
