import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { randomSource } from '../../../../agent/random.ts';
import type { TaskSpec } from '../../../../protocol/task.ts';
import { readManifest } from '../../../../server/checkpoints/read-checkpoint.ts';
import { AgentHost } from '../../../../server/inference/agent-host.ts';
import { modelPolicy } from '../../../../server/inference/model-policy.ts';
import type { Decision } from '../../../../server/rollouts/acting-policy.ts';
import type { EpisodePlan } from '../../../../server/rollouts/plan.ts';
import type { TickRow } from '../../../../server/simulators/tick-rows.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';

const spec = (task: string, actionSize: number, observation: TaskSpec['observation']): TaskSpec => ({
  ...{ task, actionSize, observation, controlTimestep: 0.02, reportsSuccess: false, hasExpert: false },
});
const SPECS = [
  spec('metaworld/reach-v3', 4, [{ name: 'state', size: 39 }]),
  spec('dmcontrol/pendulum-swingup', 1, [
    { name: 'orientation', size: 2 },
    { name: 'velocity', size: 1 },
  ]),
  spec('dmcontrol/walker-walk', 6, [
    { name: 'orientations', size: 14 },
    { name: 'height', size: 1 },
    { name: 'velocity', size: 9 },
  ]),
  spec('dmcontrol/ball_in_cup-catch', 2, [
    { name: 'position', size: 4 },
    { name: 'velocity', size: 4 },
  ]),
];
const STEPS = 4;

const root = mkdtempSync(path.join(tmpdir(), 'l2m-mixed-'));
const folder = path.join(root, 'checkpoint');
let host: AgentHost;

beforeAll(async () => {
  vi.stubEnv('TF_XLA_FLAGS', '--tf_xla_auto_jit=0');
  await writeRandomCheckpoint(folder, 9);
  host = await AgentHost.start(
    {
      ...{ backend: 'auto', threadCount: 1, precision: 'float32', logFile: path.join(root, 'agent.log') },
      ...{ restartBudget: 0, startDeadlineMs: 100_000, decideDeadlineMs: 30_000 },
    },
    { progress: () => undefined, restarted: () => undefined, exhausted: () => undefined },
  );
  await host.load(folder, folder, SPECS.length);
});
afterAll(async () => {
  await host.close();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

/** Steps of episodes of some tasks, all waiting rows of a step in one batch; sizes of the batches are noted. */
async function played(specs: readonly TaskSpec[]): Promise<{ decisions: Decision[][]; sizes: number[] }> {
  const sizes: number[] = [];
  const { policy } = modelPolicy({
    ...{ name: 'mixed', host, model: folder, manifest: await readManifest(folder) },
    batch: {
      ...{ maxBatch: SPECS.length, maxWaitMs: 2000, expected: () => 2 * specs.length },
      observe: ({ size }) => sizes.push(size),
    },
  });
  const episodes = specs.map((one) => policy.begin(one, { task: one.task, start: 0 } as EpisodePlan));
  const decisions: Decision[][] = specs.map(() => []);
  for (let step = 0; step < STEPS; step++) {
    const rows = specs.map((one, i) => rowOf(one, step, decisions[i]!.at(-1)));
    const reached = await Promise.all(episodes.map(async (episode, i) => episode.decide(rows[i]!)));
    reached.forEach((decision, i) => decisions[i]!.push(decision));
  }
  return { decisions, sizes };
}

function rowOf({ task, observation, actionSize }: TaskSpec, step: number, before: Decision | undefined): TickRow {
  const random = randomSource(step * 1000 + task.length);
  const size = observation.reduce((sum, part) => sum + part.size, 0);
  return {
    ...{ step, reward: random.uniform() },
    observation: Float32Array.from({ length: size }, () => random.normal()),
    executed: before?.action ?? new Float32Array(actionSize),
  } as TickRow;
}

it('tasks of both domains with 1, 2, 4 and 6 dimensions get in one batch what each gets alone', async () => {
  const together = await played(SPECS);
  expect(together.sizes).toEqual(Array.from({ length: STEPS }, () => SPECS.length));
  for (const [i, one] of SPECS.entries()) {
    const alone = await played([one]);
    expect(alone.sizes).toEqual([1, 1, 1, 1]);
    const seen = (decisions: readonly Decision[]) => decisions.map(({ action, selected }) => [[...action], selected]);
    expect(seen(together.decisions[i]!)).toEqual(seen(alone.decisions[0]!));
    expect(together.decisions[i]!.every(({ action }) => action.length === one.actionSize)).toBe(true);
  }
});
