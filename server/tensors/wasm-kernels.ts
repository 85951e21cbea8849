import {
  GatherV2,
  OneHot,
  UnsortedSegmentSum,
  add,
  backend_util,
  cast,
  engine,
  gather,
  getKernel,
  mul,
  range,
  registerKernel,
  reshape,
  scatterND,
  tidy,
  unregisterKernel,
  type GatherV2Attrs,
  type GatherV2Inputs,
  type KernelConfig,
  type OneHotAttrs,
  type Tensor,
  type TensorInfo,
  type UnsortedSegmentSumAttrs,
  type UnsortedSegmentSumInputs,
} from '@tensorflow/tfjs-core';

type KernelFunction = KernelConfig['kernelFunc'];

/**
 * What tfjs 4.22's WebAssembly backend lacks or gets wrong: it has no kernel for the gradient of `gather`, its `oneHot`
 * writes whole numbers into a tensor of any type, and its `gather` within a batch reads from wrong rows. Call it after the
 * backend was set, because the package's own kernels are used.
 */
export function replaceWasmKernels(): void {
  registerKernel({ kernelName: UnsortedSegmentSum, backendName: 'wasm', kernelFunc: segmentSum });
  replace(OneHot, typedOneHot);
  replace(GatherV2, batchedGather);
}

function replace(kernelName: string, wrap: (original: KernelFunction) => KernelFunction): void {
  const { kernelFunc } = getKernel(kernelName, 'wasm');
  unregisterKernel(kernelName, 'wasm');
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc: wrap(kernelFunc) });
}

/** Scattering with addition is the same sum. */
const segmentSum: KernelFunction = ({ inputs, attrs }) => {
  const { x, segmentIds } = inputs as unknown as Record<keyof UnsortedSegmentSumInputs, Tensor>;
  const { numSegments } = attrs as unknown as UnsortedSegmentSumAttrs;
  return tidy(() => scatterND(reshape(segmentIds, [-1, 1]), x, [numSegments, ...x.shape.slice(1)]));
};

function typedOneHot(original: KernelFunction): KernelFunction {
  return (call) => {
    const { dtype } = call.attrs as unknown as OneHotAttrs;
    const whole = original({ ...call, attrs: { ...call.attrs, dtype: 'int32' } }) as TensorInfo;
    return tidy(() => cast(engine().makeTensorFromTensorInfo(whole), dtype));
  };
}

/** Rows of all samples in one table, each sample's indices moved to its own part of it. */
function batchedGather(original: KernelFunction): KernelFunction {
  return (call) => {
    const { axis, batchDims } = call.attrs as unknown as GatherV2Attrs;
    if (batchDims === 0) return original(call);
    if (axis !== batchDims) throw new Error(`WebAssembly gathers along axis ${axis} only with batchDims 0 or ${axis}`);
    const { x, indices } = call.inputs as unknown as Record<keyof GatherV2Inputs, Tensor>;
    const { batchSize, dimSize, sliceSize, outputShape } = backend_util.segment_util.collectGatherOpShapeInfo(
      x,
      indices,
      axis,
      batchDims,
    );
    return tidy(() => {
      const starts = reshape(mul(range(0, batchSize, 1, 'int32'), dimSize), [batchSize, 1]);
      const rows = reshape(add(reshape(indices, [batchSize, -1]), cast(starts, 'int32')), [-1]);
      return reshape(gather(reshape(x, [batchSize * dimSize, sliceSize]), rows), outputShape);
    });
  };
}
