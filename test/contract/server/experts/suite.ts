import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExpertShape } from '../../../../agent/experts/expert-shape.ts';
import { compileActing, compileSacUpdate, type SacBatchArrays } from '../../../../server/experts/sac-graph.ts';
import { STATE_NAMES, SacTensors, stateSizes } from '../../../../server/experts/sac-tensors.ts';
import { startBackend, type BackendOptions } from '../../../../server/tensors/backend.ts';
import type { CompileOptions } from '../../../../server/tensors/compile.ts';

type Vectors = Readonly<Record<'actor' | 'critics' | 'targets' | 'temperature', number[]>>;

/** Two updates by PyTorch; made by `make_torch_update.py`. */
interface TorchUpdates {
  readonly shape: ExpertShape;
  readonly before: Vectors;
  readonly updates: readonly Readonly<Record<keyof SacBatchArrays, number[]>>[];
  readonly after: Vectors & { readonly criticLosses: readonly number[] };
}

const torch = JSON.parse(readFileSync(new URL('./torch-update.json', import.meta.url), 'utf8')) as TorchUpdates;
const BATCH = 6;

function firstState(): SacTensors {
  const sizes = stateSizes(torch.shape);
  const arrays = STATE_NAMES.map((name) => {
    const [group = '', part] = name.split(' ');
    const known = part === undefined || part === 'values' ? torch.before[group as keyof Vectors] : undefined;
    const data = known === undefined ? new Float32Array(sizes[name]) : Float32Array.from(known);
    return [name, { shape: [data.length], data }] as const;
  });
  return SacTensors.fromArrays(torch.shape, new Map(arrays));
}

/** The batches of some updates, one behind the other. */
function batchOf(updates: TorchUpdates['updates']): SacBatchArrays {
  const joined = (name: keyof SacBatchArrays) => Float32Array.from(updates.flatMap((update) => update[name]));
  return {
    ...{ observations: joined('observations'), actions: joined('actions'), rewards: joined('rewards') },
    ...{ nextObservations: joined('nextObservations'), noise: joined('noise'), nextNoise: joined('nextNoise') },
  };
}

/** The update is PyTorch's, in whatever form it runs. */
export function describeSacUpdate(backend: BackendOptions, compile: CompileOptions): void {
  beforeAll(() => startBackend(backend));
  const graphOf = (updatesPerRun: number) =>
    compileSacUpdate({
      ...{ shape: torch.shape, batchSize: BATCH, updatesPerRun, compile },
      settings: {
        discount: 0.99,
        targetRate: 0.005,
        learningRate: 3e-4,
        temperatureLearningRate: 1e-4,
        targetEntropy: -2,
      },
    });

  const expectTorch = (tensors: SacTensors) => {
    const arrays = tensors.toArrays();
    for (const name of ['actor values', 'critics values', 'temperature values', 'targets'] as const) {
      const group = name.split(' ')[0] as keyof Vectors;
      const [actual, wanted, before] = [arrays.get(name)!.data, torch.after[group], torch.before[group]];
      const worst = Math.max(...wanted.map((value, i) => Math.abs(value - actual[i]!)));
      // Two steps of Adam move each weight by some 6e-4, so a wrong sign or factor anywhere would show.
      expect(worst, name).toBeLessThan(3e-6);
      expect(Math.max(...wanted.map((value, i) => Math.abs(value - before[i]!))), name).toBeGreaterThan(1e-5);
    }
  };

  describe('updates of soft actor-critic', () => {
    it('are those of PyTorch, one a run', () => {
      const graph = graphOf(1);
      const tensors = firstState();
      const losses = torch.updates.map(
        (update, i) => graph.run(tensors, batchOf([update]), { firstUpdate: i + 1 }).criticLoss,
      );
      losses.forEach((loss, i) => expect(loss).toBeCloseTo(torch.after.criticLosses[i]!, 5));
      expectTorch(tensors);
      tensors.dispose();
      graph.dispose();
    });

    it('are those of PyTorch, two a run', () => {
      const graph = graphOf(2);
      const tensors = firstState();
      graph.run(tensors, batchOf(torch.updates), { firstUpdate: 1 });
      expectTorch(tensors);
      tensors.dispose();
      graph.dispose();
    });

    it('leave alone what is held, and change all the rest as ever', () => {
      const graph = graphOf(2);
      const [tensors, free] = [firstState(), firstState()];
      graph.run(tensors, batchOf(torch.updates), { firstUpdate: 1, held: ['actor values'] });
      graph.run(free, batchOf(torch.updates), { firstUpdate: 1 });
      const [held, others] = [tensors.toArrays(), free.toArrays()];
      expect([...held.get('actor values')!.data]).toEqual([...firstState().toArrays().get('actor values')!.data]);
      expect(held.get('actor values')!.data).not.toEqual(others.get('actor values')!.data);
      for (const name of STATE_NAMES.filter((each) => each !== 'actor values')) {
        expect(held.get(name)!.data, name).toEqual(others.get(name)!.data);
      }
      for (const each of [tensors, free, graph]) each.dispose();
    });

    it('decide for each lane by itself', () => {
      const acting = compileActing(torch.shape, 2, compile);
      const tensors = firstState();
      const observations = Float32Array.of(1, 2, 3, -1, 0, 1);
      const both = acting.run(tensors.current['actor values'], observations, new Float32Array(4));
      const swapped = acting.run(
        tensors.current['actor values'],
        Float32Array.of(-1, 0, 1, 1, 2, 3),
        new Float32Array(4),
      );
      expect([...swapped]).toEqual([...both.slice(2), ...both.slice(0, 2)]);
      expect(both.every((action) => Math.abs(action) < 1)).toBe(true);
      const noisy = acting.run(tensors.current['actor values'], observations, Float32Array.of(1, 1, 0, 0));
      expect(noisy[0]).not.toBe(both[0]);
      expect([...noisy.slice(2)]).toEqual([...both.slice(2)]);
      tensors.dispose();
      acting.dispose();
    });
  });
}
