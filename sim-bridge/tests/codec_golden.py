"""Golden protocol files, shared with the TypeScript tests, and the Python half of them.

Writes the messages that Python sends, from the readable ones: `python sim-bridge/tests/codec_golden.py`.
"""

import json
import struct
from pathlib import Path
from typing import Any, cast

import numpy as np

from sim_bridge.codec import encode
from sim_bridge.wire import Message

GOLDEN = Path(__file__).parents[2] / "test" / "golden" / "protocol"


def golden_names(direction: str) -> list[str]:
    """Names of the golden messages of one direction."""
    return sorted(path.stem for path in GOLDEN.glob(f"{direction}-*.json"))


def readable(name: str) -> Message:
    """The message of a golden file as its JSON shows it: tensors are `{dtype, shape, values}`."""
    return cast("Message", json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["message"])


def with_arrays(message: Message) -> Message:
    """A readable message with its tensors as numpy arrays."""
    return {key: _array(value) if _is_tensor(value) else value for key, value in message.items()}


def as_readable(message: Message) -> Message:
    """The opposite of `with_arrays`."""
    return {key: _tensor(value) if isinstance(value, np.ndarray) else value for key, value in message.items()}


def pack_frames(frames: list[bytes]) -> bytes:
    """The layout of `packFrames` of `protocol/frame-pack.ts`: count, lengths, frames at multiples of 8."""
    table = struct.pack(f"<{len(frames) + 1}I", len(frames), *map(len, frames))
    return b"".join(part + bytes(-len(part) % 8) for part in [table, *frames])


def unpack_frames(packed: bytes) -> list[bytes]:
    """The opposite of `pack_frames`, for files that are known to be whole."""
    (count,) = struct.unpack_from("<I", packed)
    lengths = struct.unpack_from(f"<{count}I", packed, 4)
    offset = -(-(4 * (count + 1)) // 8) * 8
    frames: list[bytes] = []
    for length in lengths:
        frames.append(packed[offset : offset + length])
        offset += -(-length // 8) * 8
    return frames


def _is_tensor(value: object) -> bool:
    return isinstance(value, dict) and "dtype" in value and "values" in value


def _array(tensor: dict[str, Any]) -> Any:
    values = [float(value) if isinstance(value, str) else value for value in tensor["values"]]
    return np.array(values, dtype=tensor["dtype"]).reshape(tensor["shape"])


def _tensor(array: Any) -> Message:
    values = [value if np.isfinite(value) else _name(value) for value in array.reshape(-1).tolist()]
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": values}


def _name(value: float) -> str:
    """JavaScript's name of a number that is not finite."""
    if np.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def main() -> None:
    """Writes the golden files of every message that a worker sends."""
    folder = GOLDEN / "python"
    folder.mkdir(exist_ok=True)
    for name in golden_names("worker"):
        (folder / f"{name}.msgpack").write_bytes(pack_frames(encode(with_arrays(readable(name)))))


if __name__ == "__main__":
    main()
