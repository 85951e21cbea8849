import { Tensor, Variable, tensor, tidy, type NamedTensorMap } from '@tensorflow/tfjs-core';
import { L2mError } from '../errors.ts';
import type { GraphRecorder } from './graph-recorder.ts';
import type { NativeBinding, NativeKernelBackend } from './native-library.ts';
import { zeros, type SpecDataType, type TensorSpec, type TensorSpecs } from './tensor-spec.ts';

/** An ordinary tfjs function of named tensors; gradients inside are welcome. It must not read data or keep state. */
export type TensorFunction<I extends string, O extends string> = (inputs: Record<I, Tensor>) => Record<O, Tensor>;

export interface CapturedFunction {
  /** Declared order; `node` feeds the input. */
  readonly inputs: readonly CapturedTensor[];
  readonly outputs: readonly CapturedTensor[];
}

export interface CapturedTensor {
  readonly name: string;
  readonly node: string;
  readonly spec: TensorSpec;
}

/**
 * Runs `fn` once on zeros and adds every TensorFlow operation it executes to the recorder.
 *
 * @throws L2M_CAPTURE_REFUSED if it reads data, draws random numbers, assigns a variable, is asynchronous, or uses an
 * operation that cannot be recorded
 */
export function captureFunction<I extends string, O extends string>(
  backend: NativeKernelBackend,
  recorder: GraphRecorder,
  { fn, specs }: { fn: TensorFunction<I, O>; specs: TensorSpecs<I> },
): CapturedFunction {
  const inputs: CapturedTensor[] = [];
  const outputs: CapturedTensor[] = [];
  tidy(() => {
    const arguments_ = {} as Record<I, Tensor>;
    for (const [name, spec] of Object.entries<TensorSpec>(specs)) {
      const values = zeros(spec);
      const node = recorder.declareInput(values, backend.getDTypeInteger(spec.dtype), spec.shape);
      inputs.push({ name, node, spec });
      // The recorder knows the input by this very array, which tfjs hands to the binding unchanged at its first use.
      arguments_[name as I] = tensor(values, [...spec.shape], spec.dtype);
    }
    recording(backend, recorder, () => {
      for (const [name, output] of Object.entries<Tensor>(checkedOutputs(fn(arguments_)))) {
        const spec = { shape: [...output.shape], dtype: output.dtype as SpecDataType };
        outputs.push({ name, node: addOutput(backend, recorder, output), spec });
      }
    });
  });
  return { inputs, outputs };
}

/** An identity, because TensorFlow refuses to return a tensor that it is also fed. */
function addOutput(backend: NativeKernelBackend, recorder: GraphRecorder, output: Tensor): string {
  const type = { name: 'T', type: backend.binding.TF_ATTR_TYPE, value: backend.getDTypeInteger(output.dtype) };
  backend.executeSingleOutput('Identity', [type], [output]);
  return recorder.lastNode;
}

function checkedOutputs(result: unknown): NamedTensorMap {
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new L2mError('L2M_CAPTURE_REFUSED', 'it is asynchronous');
  }
  const outputs = typeof result === 'object' && result !== null ? Object.entries(result) : [];
  if (outputs.length === 0) throw new L2mError('L2M_CAPTURE_REFUSED', 'it does not return a record of tensors');
  for (const [name, output] of outputs) {
    if (!(output instanceof Tensor)) throw new L2mError('L2M_CAPTURE_REFUSED', `its output '${name}' is not a tensor`);
  }
  return result as NamedTensorMap;
}

/** Puts the recorder between tfjs and the binding while `body` runs, and forbids what a graph could not repeat. */
function recording(backend: NativeKernelBackend, recorder: GraphRecorder, body: () => void): void {
  if (Object.hasOwn(backend, 'readSync')) throw new L2mError('L2M_CAPTURE_REFUSED', 'another capture is running');
  const { binding } = backend;
  const random = Reflect.get<Math, 'random'>(Math, 'random');
  const assign = Reflect.get(Variable.prototype, 'assign') as Variable['assign'];
  let refusal: L2mError | undefined;
  const refuse = (got: string) => (): never => {
    refusal ??= new L2mError('L2M_CAPTURE_REFUSED', got);
    throw refusal;
  };
  const readGot = 'it reads the data of a tensor (data, array, print or a loop over values)';
  backend.binding = recordingBinding(binding, recorder);
  backend.readSync = refuse(readGot);
  // Nobody may be waiting for an asynchronous read, and a rejection without a listener would end the process.
  backend.read = () => {
    refusal ??= new L2mError('L2M_CAPTURE_REFUSED', readGot);
    return new Promise(() => undefined);
  };
  Math.random = refuse('it draws random numbers, which would be frozen into the graph: pass them as an input');
  Variable.prototype.assign = refuse('it assigns a variable: return the new value instead');
  try {
    body();
  } finally {
    backend.binding = binding;
    Reflect.deleteProperty(backend, 'readSync');
    Reflect.deleteProperty(backend, 'read');
    Math.random = random;
    Variable.prototype.assign = assign;
  }
  // The function may have gone on after a refusal.
  if (refusal !== undefined) throw refusal;
}

function recordingBinding(binding: NativeBinding, recorder: GraphRecorder): NativeBinding {
  const executeOp: NativeBinding['executeOp'] = (...call) => {
    const [op, attributes, inputIds] = call;
    const known = recorder.attributes(op, attributes);
    const outputs = binding.executeOp(...call);
    recorder.recordOperation(op, known, { inputIds, outputs });
    return outputs;
  };
  const createTensor: NativeBinding['createTensor'] = (shape, dtype, values) => {
    const id = binding.createTensor(shape, dtype, values);
    recorder.recordCreatedTensor(id, { dtype, shape, values });
    return id;
  };
  // The binding's own properties are read-only, so they are inherited and these two laid over them.
  return Object.create(binding, {
    executeOp: { value: executeOp },
    createTensor: { value: createTensor },
  }) as NativeBinding;
}
