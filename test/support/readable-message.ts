import type { DataType, TensorHeader } from '../../protocol/tensor.ts';
import { tensorView } from '../../protocol/tensor.ts';

/** A message as the golden JSON files show it: each tensor as `{ dtype, shape, values }`; NaN and infinities are text. */
export function readableMessage(message: object, frames: readonly Uint8Array[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(message).map(([key, value]) => [
      key,
      isTensor(value) ? readableTensor(value, frames) : (value as unknown),
    ]),
  );
}

function isTensor(value: unknown): value is TensorHeader {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'frame' in value;
}

function readableTensor(header: TensorHeader, frames: readonly Uint8Array[]): object {
  const dtype: DataType = header.dtype;
  const values = [...tensorView(header, frames, dtype)].map((value) =>
    Number.isFinite(value) ? value : String(value),
  );
  return { dtype, shape: header.shape, values };
}
