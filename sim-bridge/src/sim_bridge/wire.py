"""What both halves of the codec check against, from `schema.json`, made from the TypeScript schemas."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np

Message = dict[str, Any]
Layout = dict[str, list[Any]]

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
LIMITS: dict[str, int] = SCHEMA["x-l2m-limits"]
STEP_FLAGS: dict[str, int] = SCHEMA["x-l2m-step-flags"]
PROTOCOL_VERSION: dict[str, int] = SCHEMA["x-l2m-version"]
ITEM_BYTES: dict[str, int] = SCHEMA["x-l2m-item-bytes"]
DIMENSION_LIMITS: dict[str, int] = SCHEMA["x-l2m-dimension-limits"]
_ERRORS: dict[str, dict[str, str]] = SCHEMA["x-l2m-errors"]
LITTLE_ENDIAN = {name: np.dtype(name).newbyteorder("<") for name in ITEM_BYTES}
_SHOWN_CHARACTERS = 60


class CodecError(Exception):
    """Frames that are not a valid message; `code`, `message` and `hint` can be sent to the peer."""

    def __init__(self, code: str, got: str) -> None:
        """Fills the error table's message for `code` with what was got."""
        entry = _ERRORS[code]
        self.code = code
        self.message = entry["message"].replace("%s", got)
        self.hint = entry["hint"]
        super().__init__(f"{code}: {self.message}")


def described(value: object) -> str:
    """A foreign value in a few words, however large it is."""
    if isinstance(value, str):
        return json.dumps(value[:_SHOWN_CHARACTERS], ensure_ascii=False)
    if isinstance(value, list):
        return f"an array of {len(cast('list[object]', value))}"
    if isinstance(value, dict):
        return "an object"
    return "nothing" if value is None else str(value)
