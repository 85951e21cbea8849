import {
  ExpandDims,
  GatherV2,
  backend_util,
  registerKernel,
  scalar,
  unregisterKernel,
  type ExpandDimsAttrs,
  type ExpandDimsInputs,
  type GatherV2Attrs,
  type GatherV2Inputs,
  type KernelConfig,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { NativeKernelBackend, OpAttribute } from './native-library.ts';

/**
 * Kernels of `@tensorflow/tfjs-node-gpu` 4.22 that cannot be recorded as they are: `gather` copies the indices to
 * JavaScript to check their bounds on every call (which on a GPU also waits for the device), and `expandDims` leaves its
 * type to be guessed. TensorFlow checks the bounds itself on a CPU; a graph compiled by XLA and a GPU do not, there an index
 * outside is clamped or gives zeros.
 */
export function replaceNativeKernels(): void {
  for (const kernelFunc of [gather, expandDims]) {
    const kernelName = kernelFunc === gather ? GatherV2 : ExpandDims;
    unregisterKernel(kernelName, 'tensorflow');
    registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc });
  }
}

const gather: KernelConfig['kernelFunc'] = ({ inputs, attrs, backend }) => {
  const { x, indices } = inputs as unknown as Record<keyof GatherV2Inputs, Tensor>;
  const { axis, batchDims } = attrs as unknown as GatherV2Attrs;
  const native = backend as NativeKernelBackend;
  backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, batchDims);
  const attributes = [
    { name: 'batch_dims', type: native.binding.TF_ATTR_INT, value: batchDims },
    typeAttribute(native, 'Tparams', x.dtype),
    typeAttribute(native, 'Tindices', indices.dtype),
    typeAttribute(native, 'Taxis', 'int32'),
  ];
  const axisTensor = scalar(axis, 'int32');
  const result = native.executeSingleOutput(GatherV2, attributes, [x, indices, axisTensor]);
  axisTensor.dispose();
  return result;
};

const expandDims: KernelConfig['kernelFunc'] = ({ inputs, attrs, backend }) => {
  const { input } = inputs as unknown as Record<keyof ExpandDimsInputs, Tensor>;
  const { dim } = attrs as unknown as ExpandDimsAttrs;
  const native = backend as NativeKernelBackend;
  const attributes = [typeAttribute(native, 'T', input.dtype), typeAttribute(native, 'Tdim', 'int32')];
  const dimension = scalar(dim, 'int32');
  const result = native.executeSingleOutput(ExpandDims, attributes, [input, dimension]);
  dimension.dispose();
  return result;
};

function typeAttribute(native: NativeKernelBackend, name: string, dtype: Tensor['dtype']): OpAttribute {
  return { name, type: native.binding.TF_ATTR_TYPE, value: native.getDTypeInteger(dtype) };
}
