import { existsSync } from 'node:fs';
import { describe } from 'vitest';
import { describeReferenceNumbers } from './reference-numbers.ts';

const reason = existsSync('/dev/nvidia0') ? null : 'this machine has no NVIDIA GPU';
// Matrix products with ten bits of mantissa, the library's default on newer GPUs, are a thousand times coarser than the tolerance.
process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';

describe.runIf(reason === null)(`reference numbers of TensorFlow graphs on CUDA${reason === null ? '' : `: ${reason}`}`, () => {
  describeReferenceNumbers({ backend: { backend: 'tensorflow-cuda', xla: false }, compile: {}, form: 'graph' });
});
