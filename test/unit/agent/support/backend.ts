import { ENV, ready, setBackend } from '@tensorflow/tfjs-core';

export type TestBackend = 'cpu' | 'tensorflow';

/**
 * Starts a backend for a test. `tensorflow` is the native one that set-up builds; L2M_TEST_BACKEND=cpu leaves it out, for a machine
 * without it.
 */
export async function startBackend(backend: TestBackend): Promise<void> {
  ENV.set('IS_NODE', true);
  // The union package, because only it registers gradients; it brings the plain backend along.
  if (backend === 'cpu') await import('@tensorflow/tfjs');
  else await import('@tensorflow/tfjs-node-gpu');
  await setBackend(backend);
  await ready();
}

/** Backends every numerical test runs on. */
export const TEST_BACKENDS: readonly TestBackend[] =
  process.env['L2M_TEST_BACKEND'] === 'cpu' ? ['cpu'] : ['cpu', 'tensorflow'];
