import {
  GatherV2,
  UnsortedSegmentSum,
  backend_util,
  registerKernel,
  reshape,
  scalar,
  scatterND,
  unregisterKernel,
  type GatherV2Attrs,
  type GatherV2Inputs,
  type Tensor,
  type UnsortedSegmentSumAttrs,
  type UnsortedSegmentSumInputs,
} from '@tensorflow/tfjs-core';
import type { NativeKernelBackend } from './native-library.ts';

/**
 * Replaces the package's `gather` kernel, which copies the indices to JavaScript to check their bounds on every call: that
 * cannot be recorded, and on a GPU it waits for the device. TensorFlow checks the bounds itself on a CPU; a graph compiled
 * by XLA and a GPU do not, there an index outside is clamped or gives zeros.
 */
export function registerNativeGather(): void {
  unregisterKernel(GatherV2, 'tensorflow');
  registerKernel({
    kernelName: GatherV2,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, indices } = inputs as unknown as Record<keyof GatherV2Inputs, Tensor>;
      const { axis, batchDims } = attrs as unknown as GatherV2Attrs;
      const native = backend as NativeKernelBackend;
      const { TF_ATTR_INT, TF_ATTR_TYPE } = native.binding;
      backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, batchDims);
      const axisTensor = scalar(axis, 'int32');
      const attributes = [
        { name: 'batch_dims', type: TF_ATTR_INT, value: batchDims },
        { name: 'Tparams', type: TF_ATTR_TYPE, value: native.getDTypeInteger(x.dtype) },
        { name: 'Tindices', type: TF_ATTR_TYPE, value: native.getDTypeInteger(indices.dtype) },
        { name: 'Taxis', type: TF_ATTR_TYPE, value: native.getDTypeInteger('int32') },
      ];
      const result = native.executeSingleOutput(GatherV2, attributes, [x, indices, axisTensor]);
      axisTensor.dispose();
      return result;
    },
  });
}

/** WebAssembly has no kernel for the gradient of `gather`; scattering with addition is the same sum. */
export function registerWasmSegmentSum(): void {
  registerKernel({
    kernelName: UnsortedSegmentSum,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, segmentIds } = inputs as unknown as Record<keyof UnsortedSegmentSumInputs, Tensor>;
      const { numSegments } = attrs as unknown as UnsortedSegmentSumAttrs;
      const indices = reshape(segmentIds, [-1, 1]);
      const sums = scatterND(indices, x, [numSegments, ...x.shape.slice(1)]);
      indices.dispose();
      return sums;
    },
  });
}
