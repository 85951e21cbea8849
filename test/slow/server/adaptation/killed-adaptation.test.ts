import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readJournal } from '../../../../server/adaptation/journal.ts';
import { killWhen } from '../../../support/kill-tree.ts';
import { runL2m, startL2m } from '../../../support/l2m-command.ts';
import { temporaryFolder } from '../../../support/live-server.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';

const folders: { remove: () => void }[] = [];
afterAll(() => folders.forEach((folder) => folder.remove()));

async function command(): Promise<{ data: string; words: string[] }> {
  const folder = temporaryFolder();
  folders.push(folder);
  const checkpoint = join(folder.path, 'checkpoint');
  await writeRandomCheckpoint(checkpoint);
  const words = [
    ...['adapt', '--task', 'cartpole-balance', '--pretraining-tasks', 'pendulum-swingup', '--name', 'run'],
    ...['--rounds', '2', '--episodes', '4', '--noise', '0,0.3', '--updates', '6', '--batch', '8', '--pairs', '6'],
    ...['--report-episodes', '2', '--other-episodes', '1', '--horizon', '20', '--record', 'none'],
    ...['--data', folder.path, '--checkpoint', checkpoint, '--workers', '1'],
    ...['--environments', '2', '--threads', '1'],
  ];
  return { data: folder.path, words };
}

/** Every word of progress, however short it was true. Plain graphs: what XLA does in addition is compile. */
const QUICKLY = { L2M_PROGRESS_MS: '0', TF_XLA_FLAGS: '--tf_xla_auto_jit=0' };
const journalOf = (data: string) => readJournal(join(data, 'adaptations', 'run', 'journal.jsonl'));

describe('an adaptation that is killed', () => {
  it(
    'among rollouts, while it learns and among pairs, and resumed, has the journal of one that was never disturbed',
    { timeout: 1_800_000 },
    async () => {
      const undisturbed = await command();
      const whole = await runL2m(undisturbed.words, QUICKLY);
      expect(whole.exitCode, whole.stderr).toBe(0);
      expect(whole.stdout).toMatch(/versions promoted/);

      const { data, words } = await command();
      await killWhen(startL2m(words, QUICKLY), /round 1: rollouts/);
      await killWhen(startL2m([...words, '--resume'], QUICKLY), /round 1: (learning|update)/);
      await killWhen(startL2m([...words, '--resume'], QUICKLY), /against 0, \d+ pairs so far/);
      const resumed = await runL2m([...words, '--resume'], QUICKLY);
      expect(resumed.exitCode, resumed.stderr).toBe(0);
      expect(journalOf(data)).toHaveLength(2);
      expect(journalOf(data)).toEqual(journalOf(undisturbed.data));
    },
  );
});
