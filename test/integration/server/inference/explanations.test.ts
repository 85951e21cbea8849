import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { taskContext } from '../../../../agent/context/task-context.ts';
import { ContextWindow } from '../../../../agent/context/context-window.ts';
import { policyConfigOf } from '../../../../server/checkpoints/manifest.ts';
import { readManifest } from '../../../../server/checkpoints/read-checkpoint.ts';
import { AgentHost } from '../../../../server/inference/agent-host.ts';
import { DecisionMemory, type DecisionSnapshot } from '../../../../server/inference/decision-memory.ts';
import { inspectionOf } from '../../../../server/inference/inspect-decision.ts';
import { modelPolicy } from '../../../../server/inference/model-policy.ts';
import type { Inspection } from '../../../../server/rollouts/acting-policy.ts';
import type { EpisodePlan } from '../../../../server/rollouts/plan.ts';
import type { TickRow } from '../../../../server/simulators/tick-rows.ts';
import { RANDOM_CHECKPOINT_MODEL, writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';
import { randomWindows } from '../../../support/random-windows.ts';

const { actionSize, bins, blocks, context, heads } = RANDOM_CHECKPOINT_MODEL;
const SPEC = {
  ...{ task: 'metaworld/reach-v3', observation: [{ name: 'state', size: 39 }], actionSize: 4 },
  ...{ controlTimestep: 0.0125, reportsSuccess: true, hasExpert: true },
};
const KEYS = 8;

const root = mkdtempSync(path.join(tmpdir(), 'l2m-explain-'));
const folder = path.join(root, 'random');
let host: AgentHost;

beforeAll(async () => {
  vi.stubEnv('TF_XLA_FLAGS', '--tf_xla_auto_jit=0');
  await writeRandomCheckpoint(folder, 1);
  host = await AgentHost.start(
    {
      ...{ backend: 'auto', threadCount: 1, precision: 'float32', logFile: path.join(root, 'agent.log') },
      ...{ restartBudget: 1, startDeadlineMs: 100_000, decideDeadlineMs: 60_000 },
    },
    { progress: () => undefined, restarted: () => undefined, exhausted: () => undefined },
  );
  await host.load(folder, folder, 4);
});

afterAll(async () => {
  await host.close();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

async function policy() {
  const manifest = await readManifest(folder);
  const batch = { maxBatch: 4, maxWaitMs: 1, expected: () => 1, observe: () => undefined };
  return modelPolicy({ name: 'random', host, model: folder, manifest, batch }).policy;
}

function row(step: number): TickRow {
  const observation = Float32Array.from({ length: 39 }, (_, i) => Math.sin(i + step));
  return { step, observation, reward: 0.5 * step, executed: new Float32Array(4).fill(0.1) } as unknown as TickRow;
}

/** Seven steps of an episode, each inspected or not. */
async function actions(inspected: boolean): Promise<{ actions: number[][]; inspections: Inspection[] }> {
  const episode = (await policy()).begin(SPEC, { start: 0 } as EpisodePlan);
  const taken: number[][] = [];
  const inspections: Inspection[] = [];
  for (let step = 0; step < 7; step++) {
    const deciding = episode.decide(row(step));
    // Asked both while the decision is under way and after it.
    const early = inspected ? episode.inspect!({ block: 1, head: 0 }) : undefined;
    taken.push([...(await deciding).action]);
    if (inspected) inspections.push(await early!, await episode.inspect!(null));
  }
  return { actions: taken, inspections };
}

describe('explanations of decisions', () => {
  it('change no action, and speak of the very decision that was taken', async () => {
    const unwatched = await actions(false);
    const watched = await actions(true);
    expect(watched.actions).toEqual(unwatched.actions);
    for (const [index, inspection] of watched.inspections.entries()) {
      const step = Math.floor(index / 2);
      expect(inspection.step).toBe(step);
      expect(inspection.probabilities).toHaveLength(4 * bins);
      for (let dimension = 0; dimension < 4; dimension++) {
        const line = [...inspection.probabilities.subarray(dimension * bins, (dimension + 1) * bins)];
        expect(line.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
        expect(line.indexOf(Math.max(...line))).toBe(inspection.tokens[dimension]);
        // `random` has lower edges for actions, as in the paper.
        expect((inspection.tokens[dimension]! * 2) / bins - 1).toBeCloseTo(watched.actions[step]![dimension]!, 6);
      }
      const real = Math.min(step + 1, context);
      expect(inspection.rewards).toHaveLength(real);
      expect(inspection.rewards.at(-1)).toBe(0);
      if (real > 1) expect(inspection.rewards.at(-2)).toBeCloseTo(0.5 * step, 4);
      expect(inspection.similarities).toHaveLength(KEYS);
      const best = [...inspection.similarities];
      expect(best.indexOf(Math.max(...best))).toBe(inspection.selected);
      expect(inspection.keys).toHaveLength(2 * KEYS);
      expect(inspection.points).toHaveLength(4);
    }
  });

  it('show attention only where it is asked for, of real tokens that decoding has seen', async () => {
    const { inspections } = await actions(true);
    for (const [index, { attention }] of inspections.entries()) {
      if (index % 2 === 1) {
        expect(attention).toBeNull();
        continue;
      }
      const steps = Math.min(index / 2 + 1, context);
      const tokens = (steps - 1) * (actionSize + 3) + 2 + 4;
      expect(attention!.weights).toHaveLength(tokens * tokens);
      for (let query = 0; query < tokens; query++) {
        const line = attention!.weights.subarray(query * tokens, (query + 1) * tokens);
        expect(line.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
      }
    }
  });

  it('refuse a head that is not there, by name, and go on', async () => {
    const windows = { count: 1, actionDimensions: 4, ...randomWindows(RANDOM_CHECKPOINT_MODEL, 1) };
    await expect(
      host.explain({ model: folder, windows, attention: { block: blocks, head: heads - 1 } }),
    ).rejects.toMatchObject({ code: 'L2M_SHAPE_MISMATCH', got: expect.stringContaining(`block ${blocks}`) as string });
    expect((await host.explain({ model: folder, windows, attention: null })).logits).toHaveLength(actionSize * bins);
  });

  it('scale rewards and returns-to-go back to the units of the task', async () => {
    const config = policyConfigOf(await readManifest(folder));
    const task = taskContext(SPEC, config, 400);
    const window = new ContextWindow(config);
    const memory = new DecisionMemory(window, config.model);
    window.start({ task, observation: new Float32Array(39) });
    memory.decided({ step: 0, tokens: Int32Array.of(1, 2, 3, 4), selected: 0, version: 1 });
    const snapshot: DecisionSnapshot = await memory.snapshot();
    const windows = snapshot.windows;
    const explained = await host.explain({ model: folder, windows, attention: null });
    const inspection = inspectionOf({ config, task, snapshot, explained, attention: null });
    expect([...inspection.returnsToGo]).toEqual([400]);
    expect([...windows.actionTokens.slice(-actionSize)].slice(0, 4)).toEqual([1, 2, 3, 4]);
  });
});
