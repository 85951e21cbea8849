import { describe } from 'vitest';
import { NO_CUDA, WHY_NO_CUDA } from '../../../support/cuda.ts';
import { describeCompiledBehaviour } from './behaviour.ts';
import { describeTensorContract, type ContractSubject } from './suite.ts';

const subject: ContractSubject = {
  backend: { backend: 'tensorflow-cuda', xla: false },
  compile: {},
  captured: true,
};

describe.runIf(NO_CUDA === null)(`compiled functions as TensorFlow graphs on CUDA${WHY_NO_CUDA}`, () => {
  describeTensorContract(subject);
  describeCompiledBehaviour(subject);
});
