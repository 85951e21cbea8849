import { isPool, type PolicyConfig } from '../../../agent/config.ts';
import { decide } from '../../../agent/decision-transformer.ts';
import { lossAndGradients } from '../../../agent/learning/gradients.ts';
import { selectForTraining, type TrainingBatch } from '../../../agent/learning/loss.ts';
import { gatherModulators } from '../../../agent/modulation/gather.ts';
import { modulatorsOf, penalise } from '../../../agent/modulation/match.ts';
import { similarities, windowQuery } from '../../../agent/modulation/query.ts';
import type { Tensor } from '../../../agent/ops.ts';
import { actionLogits, decodeAll, decodePredicting } from '../../../agent/transformer/decoder.ts';
import { embedWindow } from '../../../agent/transformer/embedding.ts';
import { KEY_NAME, parameter, type ParameterRecord } from '../../../agent/weights/names.ts';

interface Setting {
  readonly config: Pick<PolicyConfig, 'model' | 'modulation'>;
  readonly parameters: ParameterRecord;
  /** Weights that come in as inputs and are differentiated by. */
  readonly learned: readonly string[];
}

/** All that the golden files hold, computed by the room's own functions; one function, so that it is one graph. */
export function everything(inputs: Readonly<Record<string, Tensor>>, setting: Setting): Record<string, Tensor> {
  const { config, learned } = setting;
  const { model, modulation } = config;
  const parameters = { ...setting.parameters, ...Object.fromEntries(learned.map((name) => [name, inputs[name]!])) };
  const batch = inputs as unknown as TrainingBatch;
  const tokens = embedWindow(parameters, batch, model);
  const decodingInputs = (keys: Tensor | null): Parameters<typeof decodeAll>[1] => ({
    tokens,
    stepMask: batch.stepMask,
    modulators: gatherModulators(parameters, keys === null ? null : modulatorsOf(keys, {}), config),
  });
  const logitsBy = (keys: Tensor | null): Tensor =>
    actionLogits(parameters, decodePredicting(parameters, decodingInputs(keys), model), null);

  const keys = selectForTraining(parameters, batch, { ...config, routing: {} })?.selectedKeys ?? null;
  const decision = decide(parameters, batch, { ...config, actionDimensions: model.actionSize, routing: {} });
  const options = { ...config, pullWeight: 0.5, routing: {}, trainableNames: learned };
  const { loss, crossEntropy, similarity: pull, gradients } = lossAndGradients(parameters, batch, options);
  const always = {
    hidden: decodeAll(parameters, decodingInputs(keys), model),
    logits: logitsBy(keys),
    actionTokens: decision.actionTokens,
    loss,
    crossEntropy,
    ...Object.fromEntries(learned.map((name, i) => [`grad.${name}`, gradients[i]!])),
  };
  if (keys === null || decision.selection === null || !isPool(modulation)) return always;

  const inverseCounts = inputs['inverseCounts']!;
  const query = windowQuery(tokens, batch.stepMask);
  const similarity = similarities(query, parameter(parameters, KEY_NAME));
  const learningKeys = selectForTraining(parameters, batch, { ...config, routing: { inverseCounts } })!.selectedKeys;
  return {
    ...always,
    keys,
    decidedKeys: decision.selection.keys,
    query,
    similarity,
    pull,
    learningKeys,
    penalised: penalise(similarity, inverseCounts),
    learningLogits: logitsBy(learningKeys),
  };
}
