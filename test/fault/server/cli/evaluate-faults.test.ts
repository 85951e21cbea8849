import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRunStore } from '../../../../server/store/duckdb-run-store.ts';
import { runL2m, startL2m } from '../../../support/l2m-command.ts';
import { until } from '../../../support/live-server.ts';
import { newFolder } from '../../../support/new-folder.ts';

const evaluation = (data: string) => [
  ...['evaluate', '--tasks', 'pendulum-swingup', '--episodes', '12', '--policy', 'random'],
  ...['--environments', '2', '--workers', '1', '--data', data],
];

async function stored(data: string) {
  const store = await openRunStore({ directory: data });
  try {
    const { runs } = await store.listRuns({ limit: 10, offset: 0 });
    const run = runs[0];
    return { run, episodes: run === undefined ? [] : await store.latestEpisodes(run.run) };
  } finally {
    await store.close();
  }
}

/** Episodes that the progress on stderr has reported. */
function finishedSoFar(stderr: string): number {
  return Math.max(0, ...[...stderr.matchAll(/(\d+)\/12 episodes/g)].map((match) => Number(match[1])));
}

async function untilSomeAreFinished(command: ReturnType<typeof startL2m>): Promise<void> {
  await until('some finished episodes', () => finishedSoFar(command.stderr()) >= 2, 60_000);
}

describe('l2m evaluate when the world is unkind', () => {
  it('keeps what is finished when the server is killed, and --resume does only the rest', async () => {
    const data = newFolder();
    const command = startL2m(evaluation(data), { L2M_PROGRESS_MS: '200' });
    await untilSomeAreFinished(command);
    command.process.kill('SIGKILL');
    await command.finished;
    const killed = await stored(data);
    expect(killed.episodes.length).toBeGreaterThanOrEqual(2);
    expect(killed.episodes.length).toBeLessThan(12);

    const resumed = await runL2m([
      'evaluate',
      '--resume',
      killed.run?.run ?? '',
      '--environments',
      '2',
      '--workers',
      '1',
      '--data',
      data,
    ]);
    expect(resumed.exitCode).toBe(0);
    expect(resumed.stdout).toMatch(/12 of 12 episodes, 0 errors/);
    const whole = await stored(data);
    expect(whole.run).toMatchObject({ run: killed.run?.run, state: 'finished' });
    expect(whole.episodes.map(({ start }) => start).sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
    // What was finished before the kill was not done again.
    for (const episode of killed.episodes) expect(whole.episodes).toContainEqual(episode);
  });

  it('finishes the episodes under way at Ctrl-C, keeps them, and says how to go on', async () => {
    const data = newFolder();
    const command = startL2m(evaluation(data), { L2M_PROGRESS_MS: '200' });
    await untilSomeAreFinished(command);
    command.process.kill('SIGINT');
    const { exitCode, stdout, stderr } = await command.finished;
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/finishing the episodes under way/);
    expect(stdout).toMatch(/resume with: npx l2m evaluate --resume evaluate-/);
    const { run, episodes } = await stored(data);
    expect(run?.state).toBe('stopped');
    expect(episodes.length).toBeGreaterThanOrEqual(2);
  });

  it('refuses to resume with other tasks and says what differs', async () => {
    const data = newFolder();
    const command = startL2m(evaluation(data), { L2M_PROGRESS_MS: '200' });
    await untilSomeAreFinished(command);
    command.process.kill('SIGINT');
    await command.finished;
    const { run } = await stored(data);
    const refused = await runL2m([
      'evaluate',
      '--resume',
      run?.run ?? '',
      '--tasks',
      'cartpole-balance',
      '--data',
      data,
      '--workers',
      '1',
    ]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(/L2M_RUN_MISMATCH.*tasks was \["dmcontrol\/pendulum-swingup"\]/);
  });

  it('says clearly that a data directory cannot be written', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const { exitCode, stderr } = await runL2m(evaluation(join(file, 'data')));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/L2M_STORE_UNWRITABLE/);
    expect(stderr).toMatch(/--data/);
    expect(stderr).not.toMatch(/\bat .*\.ts:\d+/);
  });

  it('says clearly that another server uses the data directory', async () => {
    const data = newFolder();
    const first = startL2m(evaluation(data), { L2M_PROGRESS_MS: '200' });
    await untilSomeAreFinished(first);
    const { exitCode, stderr } = await runL2m(evaluation(data));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/L2M_STORE_BUSY/);
    first.process.kill('SIGINT');
    await first.finished;
  });

  it.each([
    [['evaluate', '--tasks', 'reech-v3'], /L2M_TASK_UNKNOWN.*did you mean .*reach/],
    [['evaluate', '--episodez', '3'], /Did you mean --episodes/],
    [['evalute'], /Did you mean evaluate/],
    [['evaluate', '--protocol', 'official'], /one of official-v3, l2m-paper/],
    [['evaluate', '--port', 'x'], /L2M_CONFIG_INVALID.*port/],
    [['collect', '--tasks', 'humanoid-run'], /no expert/],
  ])('refuses %j with a message that helps', async (args, message) => {
    const { exitCode, stderr } = await runL2m([...args, ...(args[0] === 'evalute' ? [] : ['--data', newFolder()])]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});
