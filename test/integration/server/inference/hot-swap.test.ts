import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AgentHost } from '../../../../server/inference/agent-host.ts';
import type { Decided } from '../../../../server/inference/host-messages.ts';
import { RANDOM_CHECKPOINT_MODEL, writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';
import { randomWindows } from '../../../support/random-windows.ts';

const BATCH = 16;
const IN_FLIGHT = 4;
const windows = { count: BATCH, actionDimensions: 4, ...randomWindows(RANDOM_CHECKPOINT_MODEL, BATCH) };

const root = mkdtempSync(path.join(tmpdir(), 'l2m-swap-'));
const folders = { first: path.join(root, 'first'), pool: path.join(root, 'pool'), model: path.join(root, 'model') };
let host: AgentHost;
let restarts = 0;

beforeAll(async () => {
  // Plain graphs: what XLA does in addition is compile for a minute.
  vi.stubEnv('TF_XLA_FLAGS', '--tf_xla_auto_jit=0');
  await writeRandomCheckpoint(folders.first, 1);
  await writeRandomCheckpoint(folders.pool, 1, 2);
  await writeRandomCheckpoint(folders.model, 3);
  host = await AgentHost.start(
    {
      ...{
        backend: 'auto',
        threadCount: 1,
        precision: 'float32',
        logFile: path.join(root, 'agent.log'),
        restartBudget: 1,
      },
      ...{ startDeadlineMs: 100_000, decideDeadlineMs: 10_000 },
    },
    { progress: () => undefined, restarted: () => (restarts += 1), exhausted: () => undefined },
  );
});

afterAll(async () => {
  await host.close();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

/** Decides with a few requests always under way, until told to stop. */
function keepDeciding(): { replies: Decided[]; stop: () => Promise<void> } {
  const replies: Decided[] = [];
  let stopping = false;
  const lane = async (): Promise<void> => {
    while (!stopping) replies.push(await host.decide('live', windows));
  };
  const lanes = Array.from({ length: IN_FLIGHT }, lane);
  return {
    replies,
    stop: async () => {
      stopping = true;
      await Promise.all(lanes);
    },
  };
}

/** What a checkpoint decides when it was never anything else. */
async function alone(folder: string): Promise<Int32Array> {
  await host.load(folder, folder, BATCH);
  await host.prepare(folder, [4]);
  return (await host.decide(folder, windows)).selected;
}

describe('exchanging weights under load', () => {
  it('loses no request, mixes no versions and stamps every reply', async () => {
    const expected = new Map<number, Int32Array>();
    const load = async (folder: string): Promise<number> => {
      const startMs = performance.now();
      const { version } = await host.load('live', folder, BATCH);
      const tookMs = performance.now() - startMs;
      expected.set(version, selections.get(folder)!);
      return tookMs;
    };
    const selections = new Map<string, Int32Array>();
    for (const folder of Object.values(folders)) selections.set(folder, await alone(folder));
    expect(selections.get(folders.pool)).not.toEqual(selections.get(folders.first));

    await load(folders.first);
    await host.prepare('live', [4]);
    const { replies, stop } = keepDeciding();
    const enough = async (count: number): Promise<void> => {
      const wanted = replies.length + count;
      while (replies.length < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await enough(20);
    const poolMs = await load(folders.pool);
    await enough(20);
    const modelMs = await load(folders.model);
    await enough(20);
    await load(folders.first);
    await enough(20);
    await stop();

    expect(restarts).toBe(0);
    const versions = replies.map(({ version }) => version);
    expect([...new Set(versions)]).toEqual([...expected.keys()]);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    for (const { version, selected } of replies) expect(selected).toEqual(expected.get(version));
    // A pool needs no compiling.
    expect(poolMs).toBeLessThan(modelMs / 2);
  });
});

describe('a host that dies', () => {
  it('comes back with what is still loaded, and every version still means the same weights', async () => {
    const kept = path.join(root, 'kept');
    const gone = path.join(root, 'gone');
    const replaced = path.join(root, 'replaced');
    await writeRandomCheckpoint(kept, 4);
    await writeRandomCheckpoint(gone, 5);
    await writeRandomCheckpoint(replaced, 6);
    const before = new Map<string, number>();
    for (const folder of [kept, gone, replaced]) {
      before.set(folder, (await host.load(folder, folder, BATCH)).version);
      await host.prepare(folder, [4]);
    }
    const decided = await host.decide(kept, windows);
    await host.unload(gone);
    await expect(host.decide(gone, windows)).rejects.toMatchObject({ code: 'L2M_CHECKPOINT_INVALID' });
    rmSync(gone, { recursive: true });
    rmSync(replaced, { recursive: true });
    await writeRandomCheckpoint(replaced, 7);

    process.kill(host.processId!, 'SIGKILL');
    const again = await host.decide(kept, windows);
    expect(restarts).toBe(1);
    expect(again.selected).toEqual(decided.selected);
    expect(again.version).toBe(before.get(kept));
    const other = await host.decide(replaced, windows);
    expect(other.version).toBeGreaterThan(Math.max(...before.values()));
  });
});
