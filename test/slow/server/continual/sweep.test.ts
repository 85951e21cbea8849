import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LiveServer } from '../../../../server/build-server.ts';
import { sweepTable } from '../../../../server/cli/continual-tables.ts';
import type { ContinualEvent } from '../../../../server/continual/continual-events.ts';
import type { MethodName } from '../../../../server/continual/methods.ts';
import { runSweep, type SweepOptions } from '../../../../server/continual/sweep.ts';
import { liveServer } from '../../../support/live-server.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';
import { SAMPLE, smallSettings } from '../../../integration/server/continual/small-run.ts';

const METHODS: readonly MethodName[] = ['head', 'fitted-keys'];
let server: LiveServer;
let root = '';

beforeAll(async () => {
  server = await liveServer({ environments: 2 });
  root = join(server.config.data, 'continual');
  await writeRandomCheckpoint(join(server.config.data, 'checkpoint'));
});
afterAll(() => server.close());

function optionsOf(changes: Partial<SweepOptions> = {}): SweepOptions {
  return {
    ...{ name: 'small', root, methods: METHODS, seeds: [1, 2], alone: false, overwrite: false },
    sequence: ['metaworld/drawer-open-v3', 'metaworld/reach-v3'],
    settingsOf: (method, seed, sequence) =>
      smallSettings({ method, seed, sequence, stepsPerTask: 2, evaluateEvery: 2, horizon: 4 }),
    ...{ checkpoint: join(server.config.data, 'checkpoint'), trajectories: SAMPLE },
    ...{ backend: { backend: 'auto', threadCount: 1, xla: false }, saveEveryMinutes: 60 },
    ...{ command: 'test', commit: 'unknown', ...changes },
  };
}

/** Sweeps, and stops once the training of that name has learned something. */
async function sweep(options: SweepOptions, stopIn?: string) {
  const stop = new AbortController();
  const began: string[] = [];
  const rows = await runSweep(server, options, {
    ...{ note: () => undefined, evaluating: () => undefined, signal: stop.signal },
    onEvent: (event: ContinualEvent) => {
      if (event.type === 'task' && event.position === 0 && began.at(-1) === stopIn) stop.abort();
    },
    begins: (name) => began.push(name),
  });
  return { rows, began };
}

const file = (run: string, name: string): string => readFileSync(join(root, run, name), 'utf8');

// Each training is a process of its own.
describe('a sweep', { timeout: 900_000 }, () => {
  test('of two methods and two seeds that is stopped goes on where it was, and does nothing twice', async () => {
    const stopped = await sweep(optionsOf(), 'small-fitted-keys-1');
    expect(stopped.began).toEqual(['small-head-1', 'small-fitted-keys-1']);
    expect(stopped.rows.map(({ name }) => name)).toEqual(['small-head-1']);
    const first = file('small-head-1', 'summary.json');

    const rest = await sweep(optionsOf());
    expect(rest.began).toEqual(['small-fitted-keys-1', 'small-head-2', 'small-fitted-keys-2']);
    expect(rest.rows.map(({ method, seed }) => [method, seed])).toEqual([
      ['head', 1],
      ['fitted-keys', 1],
      ['head', 2],
      ['fitted-keys', 2],
    ]);
    expect(file('small-head-1', 'summary.json')).toBe(first);
    for (const { summary, forwardTransfer } of rest.rows) {
      expect(summary.anyTime.averagePerformance).not.toBeNull();
      expect(summary.trainingSeconds).toBeGreaterThan(0);
      expect(forwardTransfer).toBeNull();
    }

    const again = await sweep(optionsOf());
    expect(again.began).toEqual([]);
    expect(again.rows).toEqual(rest.rows);

    // The bare model is the same for all of them, and was evaluated once.
    const bare = rest.rows.map(({ name }) => file(name, 'evaluations.jsonl').split('\n').slice(0, 2));
    for (const each of bare) expect(each).toEqual(bare[0]);

    const table = sweepTable(rest.rows, METHODS).split('\n');
    expect(table[0]).toMatch(/method +seeds .* weights +time/);
    expect(table[1]).toMatch(/head +2 .* \d+ s *$/);
    expect(table).toHaveLength(3);
  });

  test('refuses to go on with other settings under the same name', async () => {
    const settingsOf: SweepOptions['settingsOf'] = (method, seed, sequence) =>
      smallSettings({ method, seed, sequence, stepsPerTask: 3 });
    await expect(sweep(optionsOf({ settingsOf }))).rejects.toMatchObject({ code: 'L2M_RUN_MISMATCH' });
  });

  test('learns each task alone where forward transfer is asked for', async () => {
    const { rows, began } = await sweep(optionsOf({ name: 'alone', methods: ['head'], seeds: [1], alone: true }));
    expect(began).toEqual(['alone-head-1', 'alone-head-1-alone-drawer-open-v3', 'alone-head-1-alone-reach-v3']);
    expect(rows).toHaveLength(1);
    expect(Number.isFinite(rows[0]?.forwardTransfer)).toBe(true);
    const { settings } = JSON.parse(file('alone-head-1-alone-reach-v3', 'run.json')) as {
      settings: { sequence: string[] };
    };
    expect(settings.sequence).toEqual(['metaworld/reach-v3']);
  });
});
