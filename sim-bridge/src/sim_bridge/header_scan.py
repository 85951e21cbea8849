"""Walks MessagePack bytes before anything is built from them; the twin of `protocol/header-scan.ts`.

Both make the same decisions in the same order, so that a message is refused on both sides with the same code.
"""

import json
from typing import NamedTuple

_LOWEST_SAFE_INTEGER = -(2**53 - 1)
_HIGHEST_SAFE_INTEGER = 2**53 - 1
_REFUSED_KEYS = frozenset({b"__proto__", b"constructor", b"prototype"})
_SHOWN_KEY_BYTES = 40

_MAP, _ARRAY, _TEXT, _NUMBER, _REFUSED = range(5)


def _kind_and_length_bytes(token: int) -> tuple[int, int]:
    """What a type byte announces, and how many bytes of value or length follow it."""
    if 0x80 <= token < 0x90:
        return _MAP, 0
    if 0x90 <= token < 0xA0:
        return _ARRAY, 0
    if 0xA0 <= token < 0xC0:
        return _TEXT, 0
    if token < 0x80 or token >= 0xE0 or token in {0xC0, 0xC2, 0xC3}:  # small integers, nil, booleans
        return _NUMBER, 0
    sizes = {
        0xCC: (_NUMBER, 1),  # uint 8
        0xCD: (_NUMBER, 2),
        0xCE: (_NUMBER, 4),
        0xCF: (_NUMBER, 8),
        0xD0: (_NUMBER, 1),  # int 8
        0xD1: (_NUMBER, 2),
        0xD2: (_NUMBER, 4),
        0xD3: (_NUMBER, 8),
        0xCA: (_NUMBER, 4),  # float 32
        0xCB: (_NUMBER, 8),
        0xD9: (_TEXT, 1),
        0xDA: (_TEXT, 2),
        0xDB: (_TEXT, 4),
        0xDC: (_ARRAY, 2),
        0xDD: (_ARRAY, 4),
        0xDE: (_MAP, 2),
        0xDF: (_MAP, 4),
    }
    return sizes.get(token, (_REFUSED, 0))


_TOKENS = tuple(_kind_and_length_bytes(token) for token in range(256))


class ScanFault(NamedTuple):
    """Why bytes must not be decoded: a code of the error table, and what was got where."""

    code: str
    got: str


def scan_header(header: bytes, max_depth: int, max_items: int) -> ScanFault | None:  # noqa: PLR0911, PLR0912, PLR0915
    """Says why MessagePack bytes must not be decoded, or None if they may; builds nothing.

    Accepted is exactly one map with string keys that holds maps, arrays, valid UTF-8, null, booleans, finite
    floats and integers within +-(2**53 - 1). Refused are lengths beyond the end, more than `max_items`
    values, nesting deeper than `max_depth`, binary and extension types, keys that reach a JavaScript
    prototype, and trailing bytes. One long loop on purpose: calls would cost more than the work.
    """
    end = len(header)
    offset = 0
    items = 1
    key_at = -1
    remaining: list[int] = []  # values still to come in each open container
    is_map: list[bool] = []
    while True:
        start = offset
        if offset >= end:
            return _malformed(header, "the header ends too early", start, key_at)
        token = header[offset]
        offset += 1
        kind, length_bytes = _TOKENS[token]
        is_key = False
        if remaining:
            is_key = is_map[-1] and remaining[-1] & 1 == 0
            remaining[-1] -= 1
        elif kind != _MAP:
            return _malformed(header, "the header is not a map", start, key_at)
        if is_key and kind != _TEXT:
            return _malformed(header, "a key is not a string", start, key_at)
        if kind == _REFUSED:
            return _malformed(header, f"type byte 0x{token:x} is not allowed", start, key_at)
        if length_bytes > end - offset:
            return _malformed(header, "the header ends too early", start, key_at)

        if kind == _TEXT:
            length = token & 0x1F
            if length_bytes:
                length = int.from_bytes(header[offset : offset + length_bytes], "big")
                offset += length_bytes
            if length > end - offset:
                what = f"a string of {length} bytes with {end - offset} left"
                return _malformed(header, what, start, key_at)
            text = header[offset : offset + length]
            if not text.isascii() and not _is_utf8(text):
                return _malformed(header, "a string is not UTF-8", start, key_at)
            if is_key:
                if text in _REFUSED_KEYS:
                    return _malformed(header, "a forbidden key", start, start)
                key_at = start
            offset += length
        elif kind == _NUMBER:
            if length_bytes >= 4 and not _is_usable_number(header, token, offset):
                got = "a number that is not finite or too large" + _place(header, start, key_at)
                return ScanFault("L2M_MESSAGE_INVALID", got)
            offset += length_bytes
        else:
            count = token & 0x0F
            if length_bytes:
                count = int.from_bytes(header[offset : offset + length_bytes], "big")
                offset += length_bytes
            values = count * 2 if kind == _MAP else count
            if values > end - offset:
                what = f"a container of {values} values with {end - offset} bytes left"
                return _malformed(header, what, start, key_at)
            items += values
            if items > max_items:
                return _too_large(header, f"more than {max_items} values in the header", start, key_at)
            if len(remaining) >= max_depth:
                return _too_large(header, f"nesting deeper than {max_depth}", start, key_at)
            remaining.append(values)
            is_map.append(kind == _MAP)
        while remaining and remaining[-1] == 0:
            remaining.pop()
            is_map.pop()
        if not remaining:
            break
    if offset != end:
        return _malformed(header, f"{end - offset} bytes after the end of the header", offset, -1)
    return None


def _is_usable_number(header: bytes, token: int, offset: int) -> bool:
    """Floats must be finite, 64-bit integers exact as a JavaScript number."""
    if token == 0xCA:
        return int.from_bytes(header[offset : offset + 2], "big") & 0x7F80 != 0x7F80
    if token == 0xCB:
        return int.from_bytes(header[offset : offset + 2], "big") & 0x7FF0 != 0x7FF0
    if token in {0xCF, 0xD3}:
        value = int.from_bytes(header[offset : offset + 8], "big", signed=token == 0xD3)
        return _LOWEST_SAFE_INTEGER <= value <= _HIGHEST_SAFE_INTEGER
    return True


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _malformed(header: bytes, what: str, start: int, key_at: int) -> ScanFault:
    return ScanFault("L2M_FRAME_MALFORMED", what + _place(header, start, key_at))


def _too_large(header: bytes, what: str, start: int, key_at: int) -> ScanFault:
    return ScanFault("L2M_FRAME_TOO_LARGE", what + _place(header, start, key_at))


def _place(header: bytes, start: int, key_at: int) -> str:
    if key_at < 0:
        return f" at byte {start}"
    token = header[key_at]
    length_bytes = _TOKENS[token][1]
    first = key_at + 1 + length_bytes
    length = int.from_bytes(header[key_at + 1 : first], "big") if length_bytes else token & 0x1F
    key = header[first : first + min(length, _SHOWN_KEY_BYTES)].decode("utf-8", "replace")
    return f" at byte {start}, key {json.dumps(key, ensure_ascii=False)}"
