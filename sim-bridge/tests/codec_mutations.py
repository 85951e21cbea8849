"""Damages valid messages as a peer, a network or an attacker might; all chosen by a seeded generator."""

import math
from collections.abc import Callable
from typing import Any, cast

import msgpack
import numpy as np

Frames = list[bytes]
Generator = np.random.Generator
Mutation = Callable[[Frames, list[Frames], Generator], Frames]

_TYPE_BYTES = bytes.fromhex("c0c1c4c7cacbcfd3d4d8d9dbdcdddedf8f9f")
_STRANGE_VALUES: list[Any] = [
    math.nan,
    math.inf,
    -math.inf,
    -1,
    0,
    0.5,
    256,
    2**31,
    2**32,
    2**53,
    -(2**53),
    1e300,
    2**64 - 1,
    -(2**63),
    "",
    "float16",
    "object",
    "\0",
    "metaworld/reach-v3\n",
    "__proto__",
    "x" * 5000,
    None,
    True,
    b"bytes",
    [],
    {},
    {1: 2},
    [[[[[[[[[[]]]]]]]]]],
    [0x7FFFFFFF] * 4,
    [0, 0x7FFFFFFF],
    [1] * 5,
    {"dtype": "float32", "shape": [1], "frame": 0},
    {"dtype": "uint8", "shape": [2**32], "frame": 15},
    msgpack.ExtType(1, b"x"),
]


def mutate(valid: Frames, others: list[Frames], rng: Generator) -> Frames:
    """A damaged copy of a message; parts of `others`, valid messages too, may be mixed in."""
    return _MUTATIONS[_below(rng, len(_MUTATIONS))](list(valid), others, rng)


def _random_header(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    return [_noise(rng, 200), *(frames[1:] if _below(rng, 2) else [_noise(rng, 64)])]


def _flip_bits(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    index = 0 if _below(rng, 4) else _below(rng, len(frames))
    data = bytearray(frames[index])
    for _ in range(1 + _below(rng, 8)):
        if data:
            data[_below(rng, len(data))] ^= 1 << _below(rng, 8)
    frames[index] = bytes(data)
    return frames


def _truncate(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    index = _below(rng, len(frames))
    frames[index] = frames[index][: _below(rng, len(frames[index]) + 1)]
    return frames


def _extend(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    frames[_below(rng, len(frames))] += _noise(rng, 12)
    return frames


def _reorder(frames: Frames, others: list[Frames], rng: Generator) -> Frames:
    match _below(rng, 5):
        case 0:
            return [*frames, frames[_below(rng, len(frames))]]
        case 1:
            del frames[_below(rng, len(frames))]
            return frames
        case 2:
            return [frames[index] for index in rng.permutation(len(frames))]
        case 3:
            return [frames[0], *others[_below(rng, len(others))][1:]]
        case _:
            return [frames[_below(rng, len(frames))] for _ in range(_below(rng, 40))]


def _forge_length(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    length = (0xFFFFFFFF, 0x7FFFFFFF, 0x10000, 100)[_below(rng, 4)]
    forged = bytes([b"\xc6\xc9\xdb\xdd\xdf"[_below(rng, 5)]]) + length.to_bytes(4, "big")
    at = _below(rng, len(frames[0]) + 1)
    frames[0] = frames[0][:at] + forged + frames[0][at:] if _below(rng, 2) else forged
    return frames


def _replace_byte(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    header = bytearray(frames[0])
    header[_below(rng, len(header))] = _TYPE_BYTES[_below(rng, len(_TYPE_BYTES))]
    frames[0] = bytes(header)
    return frames


def _nest(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    levels = (7, 8, 9, 100, 5000)[_below(rng, 5)]
    opening = (b"\x91", b"\x81\xa1a", b"\xdd\0\0\0\1")[_below(rng, 3)]
    return [b"\x81\xa1a" + opening * levels + b"\xc0", *frames[1:]]


def _widen(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    count = (800, 8_192, 60_000, 65_535, 70_000)[_below(rng, 5)]
    item = (b"\xc0", b"\x01", b"\x90", b"\xa0")[_below(rng, 4)]
    return [b"\x81\xa1a\xdd" + count.to_bytes(4, "big") + item * count, *frames[1:]]


def _change_value(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    message: Any = msgpack.unpackb(frames[0])
    target = message
    while target:
        keys = list(cast("dict[str, Any]", target)) if isinstance(target, dict) else range(len(target))
        key = keys[_below(rng, len(keys))]
        if isinstance(target[key], (dict, list)) and _below(rng, 3):
            target = target[key]
            continue
        target[key] = _STRANGE_VALUES[_below(rng, len(_STRANGE_VALUES))]
        break
    return [cast("bytes", msgpack.packb(message)), *frames[1:]]


def _change_key(frames: Frames, _others: list[Frames], rng: Generator) -> Frames:
    message: dict[Any, Any] = msgpack.unpackb(frames[0])
    key = list(message)[_below(rng, len(message))]
    value = message[key] if _below(rng, 3) else message.pop(key)
    if _below(rng, 2):
        message[("__proto__", "constructor", "extra", "targets", "", 5, b"type")[_below(rng, 7)]] = value
    return [cast("bytes", msgpack.packb(message)), *frames[1:]]


# Those that keep the structure valid come more than once: only they reach the checks of schema and tensors.
_MUTATIONS: list[Mutation] = [
    _random_header,
    _flip_bits,
    _flip_bits,
    _truncate,
    _extend,
    _reorder,
    _reorder,
    _forge_length,
    _replace_byte,
    _nest,
    _widen,
    _change_value,
    _change_value,
    _change_value,
    _change_key,
]


def _below(rng: Generator, limit: int) -> int:
    return int(rng.random() * limit)


def _noise(rng: Generator, limit: int) -> bytes:
    return rng.bytes(_below(rng, limit + 1))
