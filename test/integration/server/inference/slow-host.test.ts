import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentHost } from '../../../../server/inference/agent-host.ts';
import { temporaryFolder } from '../../../support/live-server.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';

const folder = temporaryFolder();
const checkpoint = join(folder.path, 'checkpoint');

beforeAll(() => writeRandomCheckpoint(checkpoint));
afterAll(() => folder.remove());

async function slowHost() {
  const seen = { progress: 0, restarts: 0 };
  const host = await AgentHost.start(
    {
      ...{ backend: 'auto', threadCount: 1, precision: 'float32', logFile: join(folder.path, 'agent.log') },
      // Shorter than loading takes, longer than between two words of progress.
      ...{ restartBudget: 0, startDeadlineMs: 6000, decideDeadlineMs: 1000 },
      entry: fileURLToPath(new URL('./slow-host.ts', import.meta.url)),
    },
    {
      progress: () => (seen.progress += 1),
      restarted: () => (seen.restarts += 1),
      exhausted: () => undefined,
    },
  );
  return { host, seen };
}

describe('a host that is slow to load', () => {
  it('may take any time as long as it makes progress', async () => {
    const { host, seen } = await slowHost();
    expect(await host.load('busy', checkpoint, 4)).toMatchObject({ model: 'busy' });
    expect(seen).toEqual({ progress: 20, restarts: 0 });
    await host.close();
  });

  it('is given up when it falls silent', async () => {
    const { host } = await slowHost();
    await expect(host.load('silent', checkpoint, 4)).rejects.toMatchObject({ code: 'L2M_AGENT_BUDGET' });
    await host.close();
  });
});
