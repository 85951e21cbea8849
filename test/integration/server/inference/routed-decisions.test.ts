import { beforeAll, describe, expect, it } from 'vitest';
import { MODEL_PRESETS, PAPER_OPTIONS, type ModulationConfig } from '../../../../agent/config.ts';
import { taskContext } from '../../../../agent/context/task-context.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { compileDecision, type DecisionForm } from '../../../../server/inference/decision-function.ts';
import { DecisionGraphs } from '../../../../server/inference/decision-graphs.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { randomWindows } from '../../../support/random-windows.ts';

const model = { ...MODEL_PRESETS.tiny, width: 32, blocks: 2 };
const LORA = { kind: 'lora', rank: 2, scaling: 2 } as const;
const ORACLE: ModulationConfig = { ...LORA, poolSize: 8, keyCount: 8, taskGroups: 4 };
const TABLE: ModulationConfig = { ...LORA, poolSize: 3, keyCount: 8, keyTable: true };
const LAYOUTS: ModulationConfig = { ...LORA, poolSize: 3, keyCount: 8, keyTable: true, byLayout: true };
const POOL = { ...LORA, poolSize: 8, keyCount: 8 } as const;
const BATCH = 6;
const HELD = Int32Array.of(2, 1, 0, -1, -1, -1);
const tasks = Int32Array.of(3, 1, 0, 2, 3, 0);

beforeAll(() => startBackend({ backend: 'auto', threadCount: 1, xla: false }));

function decideWith(modulation: ModulationConfig, form: DecisionForm): { tokens: number[]; modulators: number[] } {
  const parameters = initialiseParameters({ model, modulation }, randomSource(5));
  const ladder = compileDecision(parameters, { model, modulation }, { sizes: [BATCH], actionDimensions: 3, form });
  const { searchGroups: _searchGroups, ...windows } = randomWindows(model, BATCH);
  const searched = {
    ...('taskGroups' in modulation || 'byLayout' in modulation ? { searchGroups: tasks } : {}),
    ...('voteSteps' in modulation ? { heldRows: HELD } : {}),
  };
  const pool = Object.fromEntries(Object.entries(parameters).filter(([name]) => name.startsWith('prompt.')));
  const outputs = ladder.run({ ...windows, ...searched, ...pool });
  const read = (name: string): number[] => Array.from(outputs[name]?.dataSync() ?? []);
  const result = { tokens: read('actionTokens'), modulators: read('modulators') };
  for (const output of Object.values(outputs)) output.dispose();
  ladder.dispose();
  return result;
}

describe('compiled decisions', () => {
  it.each([
    { name: 'by the true task', modulation: ORACLE },
    { name: 'by a table of keys', modulation: TABLE },
    { name: 'by a table of keys of layouts', modulation: LAYOUTS },
    { name: 'by the newest state', modulation: { ...POOL, query: 'last-state' } },
    { name: 'by standardised states', modulation: { ...POOL, query: 'standardised' } },
    { name: 'by what the frozen model makes of the window', modulation: { ...POOL, query: 'features' } },
    { name: 'by the votes of earlier steps', modulation: { ...TABLE, voteSteps: 5, unknownBelow: 0.05 } },
  ] satisfies { name: string; modulation: ModulationConfig }[])(
    'search a pool $name as the same operations one by one do',
    ({ modulation }) => {
      const graph = decideWith(modulation, 'graph');
      expect(graph).toEqual(decideWith(modulation, 'eager'));
      expect(graph.tokens).toHaveLength(BATCH * 3);
      if ('voteSteps' in modulation) expect(graph.modulators.slice(0, 3)).toEqual([2, 1, 0]);
    },
  );

  it('tell which key was nearest where several point to one row, and what a window asked for where another row was held', async () => {
    const modulation = { ...TABLE, voteSteps: 5 };
    const graphs = new DecisionGraphs(
      initialiseParameters({ model, modulation }, randomSource(5)),
      { model, modulation, options: PAPER_OPTIONS },
      { maxBatch: BATCH, progress: () => undefined },
    );
    const windows = { count: BATCH, actionDimensions: 3, ...randomWindows(model, BATCH) };
    const free = await graphs.decide(windows);
    const held = await graphs.decide({ ...windows, heldRows: HELD });
    // Keys 0, 1, 2, 3, … point to rows 0, 1, 2, 0, …
    expect([...free.selected]).toEqual(Array.from(free.keys, (key) => key % 3));
    expect(free.asked).toEqual(free.selected);
    expect(held.asked).toEqual(free.selected);
    expect(held.keys).toEqual(free.keys);
    expect([...held.selected]).toEqual([2, 1, 0, ...free.selected.slice(3)]);
    graphs.dispose();
  });

  it('draw where chance is brought, and are as ever beside it', async () => {
    const graphs = new DecisionGraphs(
      initialiseParameters({ model, modulation: TABLE }, randomSource(5)),
      { model, modulation: TABLE, options: PAPER_OPTIONS },
      { maxBatch: BATCH, progress: () => undefined },
    );
    const windows = { count: BATCH, actionDimensions: 3, ...randomWindows(model, BATCH) };
    const chance = new Float32Array(BATCH * model.actionSize * model.bins);
    // Window 1 is led to bin 7 in its second dimension; all others bring zeros.
    chance[(model.actionSize + 1) * model.bins + 7] = 1000;
    const [likeliest, drawn] = [await graphs.decide(windows), await graphs.decide({ ...windows, chance })];
    const wide = likeliest.actionDimensions;
    const others = (tokens: Int32Array) => [...tokens.subarray(0, wide), ...tokens.subarray(2 * wide)];
    expect(drawn.actionTokens[wide + 1]).toBe(7);
    expect(others(drawn.actionTokens)).toEqual(others(likeliest.actionTokens));
    expect(drawn.selected).toEqual(likeliest.selected);
    graphs.dispose();
  });

  it('fall on the group of each window’s own task, several tasks in one batch', async () => {
    const parameters = initialiseParameters({ model, modulation: ORACLE }, randomSource(5));
    const options = { ...PAPER_OPTIONS, taskOrder: ['a', 'b', 'c', 'd'].map((name) => `metaworld/${name}`) };
    const graphs = new DecisionGraphs(
      parameters,
      { model, modulation: ORACLE, options },
      { maxBatch: BATCH, progress: () => undefined },
    );
    const windows = { count: BATCH, actionDimensions: 3, ...randomWindows(model, BATCH), searchGroups: tasks };
    const { selected } = await graphs.decide(windows);
    expect(Array.from(selected, (key) => Math.floor(key / 2))).toEqual([...tasks]);
    graphs.dispose();
  });
});

describe('the context of a task', () => {
  const spec: Parameters<typeof taskContext>[0] = {
    task: 'metaworld/reach-v3',
    actionSize: 4,
    observation: [{ name: 'state', size: 39 }],
  };
  const policy = (taskOrder: readonly string[]) => ({ model, options: { ...PAPER_OPTIONS, taskOrder } });

  it('knows its place in the order, and refuses a task that has none', () => {
    const order = ['metaworld/push-v3', 'metaworld/reach-v3'];
    expect(taskContext(spec, policy(order), 0).searchGroup).toBe(1);
    expect(() => taskContext(spec, policy(['metaworld/push-v3']), 0)).toThrow('has no keys in a pool');
  });
});
