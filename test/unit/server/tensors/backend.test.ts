import { describe, expect, it } from 'vitest';
import { currentBackend, describeBackend, startBackend } from '../../../../server/tensors/backend.ts';

describe('starting a backend', () => {
  it('refuses to name one before it started', () => {
    expect(() => currentBackend()).toThrow(expect.objectContaining({ code: 'L2M_BACKEND_UNAVAILABLE' }));
  });

  it('refuses an unknown name with a suggestion, and a number of threads that cannot be', async () => {
    await expect(startBackend({ backend: 'wasn' as never })).rejects.toMatchObject({
      code: 'L2M_BACKEND_UNAVAILABLE',
      hint: expect.stringContaining('wasm') as string,
    });
    await expect(startBackend({ threadCount: 0 })).rejects.toThrow(/whole number/);
  });

  // Loading the library takes a second, or many on a machine that is busy with other things.
  it('starts one backend a process, and says what it is', { timeout: 60_000 }, async () => {
    const backend = await startBackend({ backend: 'javascript' });
    expect(backend).toMatchObject({ kind: 'javascript', capture: false, xla: false, threadCount: 1, fallbacks: [] });
    expect(describeBackend(backend)).toMatch(
      /^JavaScript \(tfjs [\d.]+\) on the CPU, no captured graphs, 1 thread, float32$/,
    );
    expect(await startBackend({ backend: 'javascript' })).toBe(backend);
    expect(currentBackend()).toBe(backend);
    await expect(startBackend({ backend: 'wasm' })).rejects.toMatchObject({ code: 'L2M_BACKEND_UNAVAILABLE' });
  });
});
