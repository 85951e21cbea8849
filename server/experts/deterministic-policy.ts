import { immediateDecision, type ActingPolicy, type Decision } from '../rollouts/acting-policy.ts';

export interface DeterministicOptions {
  readonly name: string;
  readonly actionRepeat: number;
  readonly observationSize: number;
  readonly actionSize: number;
  /** Most rows of one question. */
  readonly lanes: number;
  /** @param observations [n, W] @returns [n, A] */
  readonly choose: (observations: Float32Array) => Promise<Float32Array>;
}

interface Asked {
  readonly observation: Float32Array;
  readonly resolve: (decision: Decision) => void;
  readonly reject: (reason: unknown) => void;
}

/** The learner's policy without chance, for evaluating: rows of one turn of the event loop are decided together. */
export function deterministicPolicy(options: DeterministicOptions): ActingPolicy {
  const { lanes, actionRepeat, observationSize, actionSize } = options;
  const asked: Asked[] = [];
  const flush = (): void => {
    const batch = asked.splice(0, lanes);
    if (asked.length > 0) setImmediate(flush);
    const observations = new Float32Array(batch.length * observationSize);
    batch.forEach(({ observation }, i) => observations.set(observation, i * observationSize));
    options.choose(observations).then(
      (actions) =>
        batch.forEach(({ resolve }, i) =>
          resolve(immediateDecision(actions.slice(i * actionSize, (i + 1) * actionSize))),
        ),
      (reason: unknown) => batch.forEach(({ reject }) => reject(reason)),
    );
  };
  return {
    name: options.name,
    assertSupports: () => undefined,
    begin: () => {
      let current: Decision | undefined;
      return {
        decide: (row) => {
          if (row.step % actionRepeat !== 0 && current !== undefined) return current;
          return new Promise((resolve, reject) => {
            if (asked.length === 0) setImmediate(flush);
            const observation = row.observation.slice(0, observationSize);
            asked.push({ observation, reject, resolve: (decided) => resolve((current = decided)) });
          });
        },
      };
    },
  };
}
