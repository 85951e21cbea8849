import { describe, expect, test } from 'vitest';
import { TASK_GROUPS } from '../../../../agent/tasks/groups.ts';
import type { CheckpointManifest } from '../../../../server/checkpoints/manifest.ts';
import { sequenceOf } from '../../../../server/cli/continual-flags.ts';
import { checkContinualSettings } from '../../../../server/continual/continual-options.ts';
import type { MethodName } from '../../../../server/continual/methods.ts';
import { settingsFor, type SettingsRequest } from '../../../../server/continual/settings-for.ts';

/** All that is read of it. */
const manifestOf = (tasks: readonly string[]) =>
  ({ name: 'model', data: tasks.map((task) => ({ task })) }) as unknown as CheckpointManifest;
const MANIFEST = manifestOf(TASK_GROUPS.MT10);

function request(method: MethodName, changes: Partial<SettingsRequest> = {}): SettingsRequest {
  return { preset: 'small-machine', sequence: TASK_GROUPS.CW10, method, seed: 42, changes: {}, others: 5, ...changes };
}

describe('the settings of a continual training', () => {
  test('of the paper are the paper’s: 100,000 updates of 256 windows a task at one constant rate', () => {
    const settings = settingsFor(request('l2m-lora', { preset: 'paper' }), MANIFEST);
    expect(settings).toMatchObject({
      ...{ stepsPerTask: 100_000, batchSize: 256, learningRate: 1e-4, weightDecay: 0.01, pullWeight: 0.5 },
      ...{ evaluateEvery: 50_000, episodes: 5, afterSuccessWeight: 1 },
      dropout: { embedding: 0.1, attention: 0.1, residual: 0.1 },
    });
  });

  test('evaluate a spread of pre-training tasks that the sequence does not learn', () => {
    const { others } = settingsFor(request('full'), MANIFEST);
    expect(others).toHaveLength(5);
    for (const task of others) {
      expect(TASK_GROUPS.MT10).toContain(task);
      expect(TASK_GROUPS.CW10).not.toContain(task);
    }
    const named = settingsFor(request('full', { others: ['metaworld/reach-v3', 'metaworld/push-v3'] }), MANIFEST);
    // push is learned in CW10.
    expect(named.others).toEqual(['metaworld/reach-v3']);
  });

  test('fit identity keys to all that the model was trained on, and refuse where it does not say what', () => {
    expect(settingsFor(request('fitted-keys'), MANIFEST).identityTasks).toEqual(TASK_GROUPS.MT10);
    expect(settingsFor(request('l2m-lora'), MANIFEST).identityTasks).toEqual([]);
    // Each has as many as a new task.
    expect(settingsFor(request('fitted-keys'), MANIFEST).identityKeys).toBe(100);
    const fewer = settingsFor(request('fitted-keys', { changes: { keysPerTask: 3 } }), MANIFEST);
    expect(fewer).toMatchObject({ keysPerTask: 3, identityKeys: 30 });
    expect(settingsFor(request('fitted-keys', { changes: { identityKeys: 7 } }), MANIFEST).identityKeys).toBe(7);
    expect(() => settingsFor(request('fitted-keys'), manifestOf([]))).toThrow(
      expect.objectContaining({ code: 'L2M_CONFIG_INVALID' }),
    );
    const told = settingsFor(request('fitted-keys', { others: ['metaworld/reach-v3'] }), manifestOf([]));
    expect(told.identityTasks).toEqual(['metaworld/reach-v3']);
  });

  test('have fitted keys compete by layout, unless it is asked otherwise; other methods have no such thing', () => {
    expect(settingsFor(request('fitted-keys'), MANIFEST).byLayout).toBe(true);
    expect(settingsFor(request('fitted-keys', { changes: { byLayout: false } }), MANIFEST).byLayout).toBe(false);
    expect(settingsFor(request('l2m-lora'), MANIFEST)).not.toHaveProperty('byLayout');
    expect(() => settingsFor(request('full', { changes: { byLayout: false } }), MANIFEST)).toThrow('--all-layouts');
  });

  test('that cannot work are refused by name', () => {
    const settings = settingsFor(request('full'), MANIFEST);
    expect(() => checkContinualSettings(settings)).not.toThrow();
    expect(() => checkContinualSettings({ ...settings, stepsPerTask: 0 })).toThrow('steps per task is 0');
    expect(() => checkContinualSettings({ ...settings, sequence: [] })).toThrow('sequence is 0 tasks');
    expect(() => checkContinualSettings({ ...settings, replayShare: 1 })).toThrow('replayed share is 1');
  });
});

describe('sequences', () => {
  test('are groups and tasks in the order they are written, repetitions kept', () => {
    expect(sequenceOf('CW20')).toHaveLength(20);
    expect(sequenceOf('CW10+DMC6')).toEqual([...TASK_GROUPS.CW10, ...TASK_GROUPS.DMC6]);
    expect(sequenceOf('push-wall,hammer,push-wall')).toEqual(
      ['push-wall', 'hammer', 'push-wall'].map((name) => `metaworld/${name}-v3`),
    );
    expect(() => sequenceOf('CW11')).toThrow('CW10');
  });
});
