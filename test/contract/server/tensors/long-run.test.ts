import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

interface Held {
  /** Known to tfjs, and held by the binding. */
  readonly tensors: number;
  readonly native: number;
  readonly residentBytes: number;
}

const script = fileURLToPath(new URL('long-run.ts', import.meta.url));

describe.each([
  ['decide', 10_000],
  ['update', 1000],
] as const)('%s, %i times', (work, times) => {
  it.each([true, false])(
    'keeps no tensor and no memory (XLA: %s)',
    async (xla) => {
      // The allocator settles during the warm-up, after which growth would be a leak.
      const args = ['--import', 'tsx', script, work, String(xla), String(Math.max(1000, times / 5)), String(times)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const { before, after } = JSON.parse(stdout) as Record<'before' | 'after', Held>;
      expect(after.tensors).toBe(before.tensors);
      expect(after.native).toBe(before.native);
      expect(after.residentBytes / before.residentBytes).toBeLessThan(1.02);
    },
    180_000,
  );
});
