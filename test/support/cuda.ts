import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../../server/setup/paths.mjs';

// Matrix products with ten bits of mantissa, the library's default on newer GPUs, are a thousand times coarser than our tolerances.
process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';

/** Why tests that need a GPU cannot run here; null where they can. */
export const NO_CUDA: string | null = !existsSync('/dev/nvidia0')
  ? 'this machine has no NVIDIA GPU'
  : existsSync(join(paths.native, 'site/nvidia'))
    ? null
    : 'TensorFlow was built for the CPU: L2M_TENSORFLOW=cuda npm run setup';

/** For the title of what is skipped. */
export const WHY_NO_CUDA = NO_CUDA === null ? '' : ` (skipped: ${NO_CUDA})`;
