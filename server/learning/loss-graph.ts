import type { ModelConfig } from '../../agent/config.ts';
import { policyLoss } from '../../agent/learning/loss.ts';
import { modelShapes } from '../../agent/weights/names.ts';
import { compile, type CompileOptions } from '../tensors/compile.ts';
import type { BatchArrays } from './batch-arrays.ts';
import { batchFromInputs, batchSpecs, inputsFromArrays } from './batch-tensors.ts';
import { flattened, recordOf, specsOf, takeScalar, type TensorRecord } from './tensor-record.ts';

/** The mean cross entropy of a batch under given weights, without learning from it. */
export interface LossGraph {
  run(parameters: TensorRecord, batch: BatchArrays): number;
  dispose(): void;
}

export interface LossGraphOptions {
  readonly model: ModelConfig;
  readonly batchSize: number;
  readonly compile?: CompileOptions;
}

export function compileLoss({ model, batchSize, compile: compileOptions }: LossGraphOptions): LossGraph {
  const shapes = modelShapes(model);
  const names = Object.keys(shapes);
  const compiled = compile<string, 'loss'>(
    (inputs) => {
      const { crossEntropy } = policyLoss(recordOf('parameter', inputs, names), batchFromInputs(inputs), {
        ...BARE_MODEL,
        model,
        selectedKeys: null,
      });
      return { loss: crossEntropy };
    },
    { ...specsOf('parameter', shapes), ...batchSpecs(batchSize, model) },
    compileOptions,
  );
  return {
    run: (parameters, batch) =>
      takeScalar(compiled.run({ ...flattened('parameter', parameters), ...inputsFromArrays(batch) }), 'loss'),
    dispose: () => {
      compiled.dispose();
    },
  };
}

/** Pre-training knows no modulators. */
export const BARE_MODEL = { modulation: { kind: 'none' }, pullWeight: 0, routing: {} } as const;
