import type { PolicySource } from '../live/policy-watch.ts';
import type { RolloutEngine } from '../rollouts/engine.ts';
import type { PoolUsage } from '../rollouts/pool-usage.ts';

/** What pages can be told of running policies. */
export function policySource(engine: RolloutEngine, usage: PoolUsage): Omit<PolicySource, 'place'> {
  return {
    inspect: (key, attention) => {
      const asked = engine.inspect(key, attention);
      return asked === null ? 'This policy is no trained model: nothing lies behind its actions.' : asked;
    },
    usage: (key, modulators) => {
      const views = [...engine.views()];
      const run = views.find((view) => view.key === key)?.run;
      return run === undefined ? undefined : { run, ...usage.of(run, views, modulators) };
    },
  };
}
