"""Bytes of the wire to checked messages and back; the Python twin of `protocol/codec.ts`.

A message is a list of frames: a MessagePack header, then one frame of raw bytes for each tensor. A tensor in
the header is `{dtype, shape, frame}`, little-endian and row-major. Everything that the decoder checks against
(schemas, limits, tensor layouts, error texts) comes from `schema.json`, made from the TypeScript schemas.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import fastjsonschema
import msgpack
import numpy as np

from sim_bridge.header_scan import scan_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

Message = dict[str, Any]
_Layout = dict[str, list[Any]]

_SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
LIMITS: dict[str, int] = _SCHEMA["x-l2m-limits"]
STEP_FLAGS: dict[str, int] = _SCHEMA["x-l2m-step-flags"]
PROTOCOL_VERSION: dict[str, int] = _SCHEMA["x-l2m-version"]
_ITEM_BYTES: dict[str, int] = _SCHEMA["x-l2m-item-bytes"]
_DIMENSION_LIMITS: dict[str, int] = _SCHEMA["x-l2m-dimension-limits"]
_ERRORS: dict[str, dict[str, str]] = _SCHEMA["x-l2m-errors"]
_LITTLE_ENDIAN = {name: np.dtype(name).newbyteorder("<") for name in _ITEM_BYTES}
_NAME_OF = {dtype.str: name for name, dtype in _LITTLE_ENDIAN.items()}
_SHOWN_CHARACTERS = 60
_SHOWN_FAULT = 300
_KNOWN_HEADERS = 64
_KNOWN_HEADER_BYTES = 1024


class CodecError(Exception):
    """Frames that are not a valid message; `code`, `message` and `hint` can be sent to the peer."""

    def __init__(self, code: str, got: str) -> None:
        """Fills the error table's message for `code` with what was got."""
        entry = _ERRORS[code]
        self.code = code
        self.message = entry["message"].replace("%s", got)
        self.hint = entry["hint"]
        super().__init__(f"{code}: {self.message}")


class _Check(NamedTuple):
    validate: Callable[[Message], object]
    layout: _Layout


class _Tensor(NamedTuple):
    field: str
    frame: int
    dtype: str
    shape: tuple[int, ...]


class _Header(NamedTuple):
    """A header that has passed every check that does not need the frames."""

    message: Message
    tensors: tuple[_Tensor, ...]


class _Direction(NamedTuple):
    checks: dict[str, _Check]
    header_bytes: int
    header_items: int
    # Checked headers by their bytes: those of `act` repeat, they say little but the number of environments.
    known: dict[bytes, _Header]


def encode(message: Mapping[str, Any]) -> list[bytes]:
    """Frames of a message: numpy arrays among its top-level values become tensor frames, in order.

    The message is not validated: tests do that, and the receiver will. Arrays are copied, so the caller may
    go on to change them.

    Raises:
        CodecError: an array has a data type that the wire does not allow.
    """
    header: Message = {}
    tensors: list[bytes] = []
    for name, value in message.items():
        if not isinstance(value, np.ndarray):
            header[name] = value
            continue
        array = cast("NDArray[Any]", value)
        dtype = _NAME_OF.get(array.dtype.str)
        if dtype is None:
            allowed = ", ".join(_NAME_OF)
            raise CodecError("L2M_TENSOR_MISMATCH", f"{name} is {array.dtype.str}, allowed are {allowed}")
        header[name] = {"dtype": dtype, "shape": array.shape, "frame": len(tensors)}
        tensors.append(array.tobytes())
    return [cast("bytes", msgpack.packb(header, default=_plain)), *tensors]


def _plain(value: object) -> object:
    """A numpy scalar as Python's own number."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be part of a message")


def decode_server(frames: Sequence[bytes]) -> Message:
    """What the server sent; tensors are read-only numpy views of the frames.

    Raises:
        CodecError: the frames are not a valid message. No other exception leaves this function.
    """
    return _decode(frames, _SERVER)


def decode_worker(frames: Sequence[bytes]) -> Message:
    """What a worker sent: for tests and tools. Same rules as `decode_server`."""
    return _decode(frames, _WORKER)


def _decode(frames: Sequence[bytes], direction: _Direction) -> Message:
    if not frames:
        raise CodecError("L2M_FRAME_MALFORMED", "no frames")
    _check_sizes(frames, direction.header_bytes)
    header = frames[0]
    checked = direction.known.get(header)
    if checked is None:
        checked = _check_header(header, direction)
        if checked.tensors and len(header) <= _KNOWN_HEADER_BYTES:
            if len(direction.known) >= _KNOWN_HEADERS:
                direction.known.clear()
            direction.known[header] = checked
    return _with_tensors(checked, frames)


def _check_header(header: bytes, direction: _Direction) -> _Header:
    """Everything that can be said without the tensor frames: structure, schema, tensor layout."""
    fault = scan_header(header, LIMITS["headerDepth"], direction.header_items)
    if fault is not None:
        raise CodecError(fault.code, fault.got)
    message = _unpack(header, direction.header_items)
    kind = message.get("type")
    check = direction.checks.get(kind) if isinstance(kind, str) else None
    if check is None:
        expected = ", ".join(direction.checks)
        raise CodecError("L2M_MESSAGE_INVALID", f"type is {_described(kind)}, expected one of {expected}")
    try:
        check.validate(message)
    except fastjsonschema.JsonSchemaValueException as error:
        raise CodecError("L2M_MESSAGE_INVALID", _schema_fault(str(kind), error)) from None
    return _Header(message, _tensors_of(message, check.layout))


def _check_sizes(frames: Sequence[bytes], header_bytes: int) -> None:
    if len(frames) > LIMITS["frameCount"]:
        raise CodecError("L2M_FRAME_TOO_LARGE", f"{len(frames)} frames of at most {LIMITS['frameCount']}")
    header = len(frames[0])
    if header > header_bytes:
        raise CodecError("L2M_FRAME_TOO_LARGE", f"a header of {header} bytes of at most {header_bytes}")
    total = sum(map(len, frames))
    if total > LIMITS["messageBytes"]:
        raise CodecError("L2M_FRAME_TOO_LARGE", f"{total} bytes of at most {LIMITS['messageBytes']}")


def _unpack(header: bytes, max_items: int) -> Message:
    """The limits repeat what the scan has established, so that neither check is the only one."""
    unpacker = msgpack.Unpacker(
        raw=False,
        strict_map_key=True,
        max_buffer_size=max(len(header), 1),
        max_str_len=len(header),
        max_bin_len=0,
        max_ext_len=0,
        max_array_len=max_items,
        max_map_len=max_items,
        ext_hook=_refuse_extension,
    )
    unpacker.feed(header)
    try:
        return cast("Message", _with_exact_integers(unpacker.unpack()))
    except (ValueError, msgpack.UnpackException) as error:
        raise CodecError("L2M_FRAME_MALFORMED", _described(str(error))) from None


def _refuse_extension(code: int, data: bytes) -> object:
    raise ValueError(f"extension type {code} of {len(data)} bytes")


def _with_exact_integers(value: Any) -> Any:
    """Whole floats as `int`: a JavaScript peer has one kind of number and may write 3 as 3.0."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        entries = cast("Message", value)
        for key, item in entries.items():
            if isinstance(item, (float, dict, list)):
                entries[key] = _with_exact_integers(item)
        return entries
    if isinstance(value, list):
        return [_with_exact_integers(item) for item in cast("list[Any]", value)]
    return value


def _schema_fault(kind: str, error: fastjsonschema.JsonSchemaValueException) -> str:
    if error.rule == "required" and isinstance(error.value, dict):
        missing = [name for name in cast("list[str]", error.rule_definition) if name not in error.value]
        return f"{kind}{str(error.name)[4:]} must have {', '.join(missing)}"
    text = str(error.message).replace("data", kind, 1)
    return f"{text[:_SHOWN_FAULT]}, got {_described(error.value)}"


def _tensors_of(message: Message, layout: _Layout) -> tuple[_Tensor, ...]:
    """The tensors of a message in the order of its layout, which they fit."""
    sizes: dict[str, int] = {}
    tensors: list[_Tensor] = []
    for field, expected in layout.items():
        header = message.get(field)
        if header is None:
            continue
        tensor = _Tensor(field, header["frame"], header["dtype"], tuple(header["shape"]))
        fault = _layout_fault(tensor, expected, sizes)
        if fault is not None:
            raise _mismatch(message, f"{field}: {fault}")
        if any(tensor.frame == other.frame for other in tensors):
            raise _mismatch(message, f"{field} shares frame {tensor.frame} with another tensor")
        tensors.append(tensor)
    return tuple(tensors)


def _with_tensors(checked: _Header, frames: Sequence[bytes]) -> Message:
    """A message of its own, in which each tensor header is replaced by a view of its frame."""
    count = len(frames) - 1
    message = checked.message.copy()
    if len(checked.tensors) != count:
        raise _mismatch(message, f"{count} tensor frames, of which {len(checked.tensors)} are used")
    for field, frame, dtype, shape in checked.tensors:
        if frame >= count:
            raise _mismatch(message, f"{field} is in frame {frame}, the message has {count} tensor frames")
        data = frames[frame + 1]
        expected = math.prod(shape) * _ITEM_BYTES[dtype]
        if expected != len(data):
            raise _mismatch(
                message, f"{field}: {dtype} {list(shape)} takes {expected} bytes, got {len(data)}"
            )
        message[field] = np.ndarray(shape, _LITTLE_ENDIAN[dtype], buffer=data)
    return message


def _layout_fault(tensor: _Tensor, layout: list[Any], sizes: dict[str, int]) -> str | None:
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
        limit = _DIMENSION_LIMITS.get(dimension)
        if limit is not None and size > limit:
            return f"{dimension} is at most {limit}, got {size}"
    return None


def _mismatch(message: Message, got: str) -> CodecError:
    return CodecError("L2M_TENSOR_MISMATCH", f"{message['type']}.{got}")


def _described(value: object) -> str:
    """A foreign value in a few words, however large it is."""
    if isinstance(value, str):
        return json.dumps(value[:_SHOWN_CHARACTERS], ensure_ascii=False)
    if isinstance(value, list):
        return f"an array of {len(cast('list[object]', value))}"
    if isinstance(value, dict):
        return "an object"
    return "nothing" if value is None else str(value)


def _direction(name: str) -> _Direction:
    definitions: dict[str, Any] = _SCHEMA["$defs"]
    shared = {key: value for key, value in definitions.items() if "." not in key}
    layouts: dict[str, _Layout] = _SCHEMA["x-l2m-tensor-layouts"][name]
    checks: dict[str, _Check] = {}
    for key, definition in definitions.items():
        direction, _, kind = key.partition(".")
        if direction == name:
            validate = fastjsonschema.compile({**definition, "$defs": shared}, use_default=False)
            checks[kind] = _Check(cast("Callable[[Message], object]", validate), layouts.get(kind, {}))
    return _Direction(checks, LIMITS["headerBytes"], LIMITS["headerItems"], {})


_SERVER = _direction("server")
_WORKER = _direction("worker")
