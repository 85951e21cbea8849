"""Bytes of the wire to checked messages and back; the Python twin of `protocol/codec.ts`.

A message is a list of frames: a MessagePack header, then one frame of raw bytes for each tensor. A tensor in
the header is `{dtype, shape, frame}`, little-endian and row-major. Everything that the decoder checks against
(schemas, limits, tensor layouts, error texts) comes from `schema.json`, made from the TypeScript schemas.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import fastjsonschema
import msgpack
import numpy as np

from sim_bridge.header_scan import scan_header
from sim_bridge.tensor_layout import Tensor, tensors_of, with_tensors
from sim_bridge.wire import LIMITS, LITTLE_ENDIAN, SCHEMA, CodecError, Layout, Message, described

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAME_OF = {dtype.str: name for name, dtype in LITTLE_ENDIAN.items()}
_SHOWN_FAULT = 300
_KNOWN_HEADERS = 64
_KNOWN_HEADER_BYTES = 1024


class _Check(NamedTuple):
    validate: Callable[[Message], object]
    layout: Layout


class _Header(NamedTuple):
    """A header that has passed every check that does not need the frames."""

    message: Message
    tensors: tuple[Tensor, ...]


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
    return with_tensors(checked.message, checked.tensors, frames)


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
        raise CodecError("L2M_MESSAGE_INVALID", f"type is {described(kind)}, expected one of {expected}")
    try:
        check.validate(message)
    except fastjsonschema.JsonSchemaValueException as error:
        raise CodecError("L2M_MESSAGE_INVALID", _schema_fault(str(kind), error)) from None
    return _Header(message, tensors_of(message, check.layout))


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
        raise CodecError("L2M_FRAME_MALFORMED", described(str(error))) from None


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
    return f"{text[:_SHOWN_FAULT]}, got {described(error.value)}"


def _direction(name: str) -> _Direction:
    definitions: dict[str, Any] = SCHEMA["$defs"]
    shared = {key: value for key, value in definitions.items() if "." not in key}
    layouts: dict[str, Layout] = SCHEMA["x-l2m-tensor-layouts"][name]
    checks: dict[str, _Check] = {}
    for key, definition in definitions.items():
        direction, _, kind = key.partition(".")
        if direction == name:
            validate = fastjsonschema.compile({**definition, "$defs": shared}, use_default=False)
            checks[kind] = _Check(cast("Callable[[Message], object]", validate), layouts.get(kind, {}))
    return _Direction(checks, LIMITS["headerBytes"], LIMITS["headerItems"], {})


_SERVER = _direction("server")
_WORKER = _direction("worker")
