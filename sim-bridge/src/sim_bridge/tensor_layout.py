"""Tensors of a message: their headers against the layout of its type, and views of their frames."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sim_bridge.wire import DIMENSION_LIMITS, ITEM_BYTES, LITTLE_ENDIAN, CodecError, Layout, Message


class Tensor(NamedTuple):
    """Where a field of a message has its values, and in what layout."""

    field: str
    frame: int
    dtype: str
    shape: tuple[int, ...]


def tensors_of(message: Message, layout: Layout) -> tuple[Tensor, ...]:
    """The tensors of a message in the order of its layout, which they fit.

    Raises:
        CodecError: one does not fit, or two share a frame.
    """
    sizes: dict[str, int] = {}
    tensors: list[Tensor] = []
    for field, expected in layout.items():
        header = message.get(field)
        if header is None:
            continue
        tensor = Tensor(field, header["frame"], header["dtype"], tuple(header["shape"]))
        fault = _layout_fault(tensor, expected, sizes)
        if fault is not None:
            raise _mismatch(message, f"{field}: {fault}")
        if any(tensor.frame == other.frame for other in tensors):
            raise _mismatch(message, f"{field} shares frame {tensor.frame} with another tensor")
        tensors.append(tensor)
    return tuple(tensors)


def with_tensors(message: Message, tensors: Sequence[Tensor], frames: Sequence[bytes]) -> Message:
    """A message of its own, in which each tensor header is replaced by a view of its frame.

    Raises:
        CodecError: a frame is missing, left over, or of another size.
    """
    count = len(frames) - 1
    message = message.copy()
    if len(tensors) != count:
        raise _mismatch(message, f"{count} tensor frames, of which {len(tensors)} are used")
    for field, frame, dtype, shape in tensors:
        if frame >= count:
            raise _mismatch(message, f"{field} is in frame {frame}, the message has {count} tensor frames")
        data = frames[frame + 1]
        expected = math.prod(shape) * ITEM_BYTES[dtype]
        if expected != len(data):
            raise _mismatch(
                message, f"{field}: {dtype} {list(shape)} takes {expected} bytes, got {len(data)}"
            )
        message[field] = np.ndarray(shape, LITTLE_ENDIAN[dtype], buffer=data)
    return message


def _layout_fault(tensor: Tensor, layout: list[Any], sizes: dict[str, int]) -> str | None:
    dtype, *dimensions = layout
    misfit = f"expected {dtype} [{', '.join(map(str, dimensions))}], got {tensor.dtype} {list(tensor.shape)}"
    if tensor.dtype != dtype or len(tensor.shape) != len(dimensions):
        return misfit
    for size, dimension in zip(tensor.shape, dimensions, strict=True):
        if isinstance(dimension, int):
            if size != dimension:
                return misfit
            continue
        known = sizes.setdefault(dimension, size)
        if known != size:
            return f"{dimension} is {known} elsewhere in the message, got {size}"
        limit = DIMENSION_LIMITS.get(dimension)
        if limit is not None and size > limit:
            return f"{dimension} is at most {limit}, got {size}"
    return None


def _mismatch(message: Message, got: str) -> CodecError:
    return CodecError("L2M_TENSOR_MISMATCH", f"{message['type']}.{got}")
