import { defineConfig } from 'vitest/config';

/**
 * One project per tier. `forks`: the native TensorFlow addon works in one thread of a process only.
 * One fork at a time where simulators share the two cores: a test that is slow because of its neighbour tells nothing.
 */
const tier = (name: string, timeoutMs: number, maxWorkers = 1) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    maxWorkers,
    // Tiers of as many forks run together, one kind after the other.
    sequence: { groupOrder: maxWorkers === 1 ? 1 : 0 },
  },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 1,
    projects: [
      {
        extends: true,
        test: { name: 'architecture', include: ['test/architecture.test.ts'], sequence: { groupOrder: 1 } },
      },
      tier('unit', 20_000, 2),
      tier('golden', 60_000, 2),
      tier('contract', 60_000),
      tier('integration', 120_000),
      tier('fault', 180_000),
      tier('browser', 180_000),
      tier('slow', 900_000),
    ],
  },
});
