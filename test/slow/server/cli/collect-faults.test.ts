import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTrajectories } from '../../../../server/learning/trajectory-reader.ts';
import { killWhen } from '../../../support/kill-tree.ts';
import { runL2m, startL2m, type Finished } from '../../../support/l2m-command.ts';
import { newFolder } from '../../../support/new-folder.ts';

const EPISODES = 8;

const collection = (data: string) => [
  ...[
    'collect',
    '--tasks',
    'reach-v3,drawer-open-v3',
    '--episodes',
    String(EPISODES),
    '--noise',
    '0,0.3',
    '--horizon',
    '120',
  ],
  ...['--environments', '3', '--workers', '1', '--data', data],
];
const QUICKLY = { L2M_PROGRESS_MS: '50' };

/** Data hashes as the command prints them, in the order of its tasks. */
const printedHashes = ({ stdout }: Finished) => [...stdout.matchAll(/sha256 ([0-9a-f]{16})/g)].map(([, hash]) => hash);

async function dataOf(data: string) {
  const tasks = ['reach-v3', 'drawer-open-v3'];
  return Promise.all(
    tasks.map((task) => readTrajectories(join(data, 'trajectories', 'metaworld', task, 'expert.safetensors'))),
  );
}

describe('l2m collect that is killed', () => {
  // Four starts of a server, which a busy machine makes slow.
  it(
    'and given again collects only the rest, and leaves the data of one that was never disturbed',
    { timeout: 600_000 },
    async () => {
      const undisturbed = newFolder();
      const whole = await runL2m(collection(undisturbed), QUICKLY);
      expect(whole.exitCode, whole.stderr).toBe(0);
      expect(printedHashes(whole)).toHaveLength(2);

      const disturbed = newFolder();
      // Twice: the second time while it goes on from what the first one left.
      await killWhen(startL2m(collection(disturbed), QUICKLY), /\b[2-9]\/16 episodes/);
      await killWhen(startL2m(collection(disturbed), QUICKLY), /\b[2-9]\/\d+ episodes/);
      const rest = await runL2m(collection(disturbed), QUICKLY);
      expect(rest.exitCode, rest.stderr).toBe(0);
      const done = Number(/(\d+) of \d+ episodes, 0 errors/.exec(rest.stdout)?.[1]);
      // What each of the two had on disk before it counted them was not done again.
      expect(done).toBeLessThanOrEqual(2 * EPISODES - 4);

      expect(printedHashes(rest)).toEqual(printedHashes(whole));
      const [expected, found] = await Promise.all([dataOf(undisturbed), dataOf(disturbed)]);
      for (const [index, { contentHash, starts, actions, observations }] of found.entries()) {
        expect(contentHash).toBe(expected[index]?.contentHash);
        expect([...starts]).toEqual([...Array(EPISODES).keys()]);
        expect(actions).toEqual(expected[index]?.actions);
        expect(observations).toEqual(expected[index]?.observations);
      }
    },
  );
});
