import { defineConfig } from 'vitest/config';

/**
 * One project per tier. `forks`: the native TensorFlow addon works in one thread of a process only.
 * One fork at a time: two cores are shared with simulators, and a test that is slow because of its neighbour tells nothing.
 */
const tier = (name: string, timeoutMs: number) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 1,
    projects: [
      { extends: true, test: { name: 'architecture', include: ['test/architecture.test.ts'] } },
      tier('unit', 20_000),
      tier('golden', 60_000),
      tier('contract', 60_000),
      tier('integration', 120_000),
      tier('fault', 180_000),
      tier('browser', 180_000),
      tier('slow', 900_000),
    ],
  },
});
