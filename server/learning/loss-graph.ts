import type { ModelConfig } from '../../agent/config.ts';
import { policyLoss, selectForTraining } from '../../agent/learning/loss.ts';
import { compile, type CompileOptions } from '../tensors/compile.ts';
import type { BatchArrays } from './batch-arrays.ts';
import { batchFromInputs, batchSpecs, inputsFromArrays } from './batch-tensors.ts';
import { wholeModel, type LearningMethod } from './learning-method.ts';
import { flattened, recordOf, specsOf, takeScalar, type TensorRecord } from './tensor-record.ts';

/** The mean cross entropy of a batch under given weights, without learning from it. */
export interface LossGraph {
  run(parameters: TensorRecord, batch: BatchArrays): number;
  dispose(): void;
}

export interface LossGraphOptions {
  readonly model: ModelConfig;
  readonly batchSize: number;
  /** See `LossOptions`. */
  readonly actionDimensions?: number;
  /** Absent: the bare model. */
  readonly method?: LearningMethod;
  readonly compile?: CompileOptions;
}

/** @returns a graph whose `run` takes the weights that learn; frozen ones are constants of it */
export function compileLoss(graphOptions: LossGraphOptions): LossGraph {
  const { model, batchSize, method, actionDimensions, compile: compileOptions } = graphOptions;
  const { modulation, trainable, frozen } = method ?? wholeModel(model);
  const names = Object.keys(trainable);
  const options = { model, modulation, pullWeight: 0, routing: {}, actionDimensions };
  const compiled = compile<string, 'loss'>(
    (inputs) => {
      const parameters = { ...frozen, ...recordOf('parameter', inputs, names) };
      const batch = batchFromInputs(inputs);
      const selectedKeys = selectForTraining(parameters, batch, options)?.selectedKeys ?? null;
      return { loss: policyLoss(parameters, batch, { ...options, selectedKeys }).crossEntropy };
    },
    { ...specsOf('parameter', trainable), ...batchSpecs(batchSize, { model, modulation }) },
    compileOptions,
  );
  return {
    run: (parameters, batch) =>
      takeScalar(
        compiled.run({ ...flattened('parameter', parameters), ...inputsFromArrays(batch, modulation) }),
        'loss',
      ),
    dispose: () => {
      compiled.dispose();
    },
  };
}
