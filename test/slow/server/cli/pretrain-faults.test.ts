import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readMetrics } from '../../../../server/learning/metrics-log.ts';
import { loadTrainingState } from '../../../../server/learning/training-state.ts';
import { killWhen } from '../../../support/kill-tree.ts';
import { runL2m, startL2m } from '../../../support/l2m-command.ts';
import { temporaryFolder } from '../../../support/live-server.ts';

const SAMPLE = new URL('../../../golden/learning', import.meta.url).pathname;
const UPDATES = 30;
const folders: { remove: () => void }[] = [];
afterAll(() => folders.forEach((folder) => folder.remove()));

function newData(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  cpSync(SAMPLE, join(folder.path, 'trajectories'), { recursive: true });
  return folder.path;
}

const pretraining = (data: string) => [
  ...['pretrain', '--tasks', 'reach-v3,drawer-open-v3', '--updates', String(UPDATES), '--batch', '8', '--dropout'],
  // After every update or so, so that a kill comes between two saves as well as within one.
  ...['--save-every', '0.001', '--threads', '1', '--data', data],
];

const stateOf = (data: string) => loadTrainingState(join(data, 'training', 'model'));
const weightsOf = (data: string) => readFileSync(join(data, 'checkpoints', 'model', 'model.safetensors'));

describe('l2m pretrain that is killed', () => {
  // Four processes load and compile one after the other.
  it('twice and resumed has the weights and moments, bit for bit, of one that was never disturbed', async () => {
    const undisturbed = newData();
    const whole = await runL2m(pretraining(undisturbed));
    expect(whole.exitCode, whole.stderr).toBe(0);

    const disturbed = newData();
    await killWhen(startL2m(pretraining(disturbed)), /saved after [5-9] updates/);
    const first = await stateOf(disturbed);
    expect(first?.counters.update).toBeGreaterThanOrEqual(5);
    await killWhen(startL2m([...pretraining(disturbed), '--resume']), /saved after 1\d updates/);
    const rest = await runL2m([...pretraining(disturbed), '--resume']);
    expect(rest.exitCode, rest.stderr).toBe(0);
    expect(Number(/going on after (\d+) updates/.exec(rest.stderr)?.[1])).toBeGreaterThanOrEqual(10);

    const [expected, found] = [await stateOf(undisturbed), await stateOf(disturbed)];
    expect(found?.counters).toMatchObject({ update: UPDATES, lastLoss: expected?.counters.lastLoss });
    expect([...(found?.arrays.keys() ?? [])]).toEqual([...(expected?.arrays.keys() ?? [])]);
    for (const [name, { data }] of expected?.arrays ?? []) expect(found?.arrays.get(name)?.data, name).toEqual(data);
    expect(weightsOf(disturbed).equals(weightsOf(undisturbed))).toBe(true);

    // Each update has been reported once at most, and no half-written folder is left.
    const rows = readMetrics(join(disturbed, 'training', 'model', 'metrics.jsonl')).map(({ update }) => update);
    expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
    const folder = readdirSync(join(disturbed, 'training', 'model')).filter((name) => name.startsWith('state-'));
    expect(folder).toHaveLength(2);
  }, 1_200_000);
});
