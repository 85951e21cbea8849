"""Both languages read and write the same bytes and refuse the same damage."""

import base64
import json
from pathlib import Path
from typing import Any, cast

import pytest

from codec_golden import GOLDEN, as_readable, golden_names, pack_frames, readable, unpack_frames, with_arrays
from sim_bridge import codec
from sim_bridge.codec import decode_server, decode_worker, encode
from sim_bridge.wire import CodecError

DECODERS = {"worker": decode_worker, "server": decode_server}


@pytest.mark.parametrize("name", [*golden_names("server"), *golden_names("worker")])
def test_decodes_what_typescript_wrote(name: str) -> None:
    frames = unpack_frames((GOLDEN / "typescript" / f"{name}.msgpack").read_bytes())
    message = DECODERS[name.split("-", maxsplit=1)[0]](frames)
    assert as_readable(message) == readable(name)


@pytest.mark.parametrize("name", golden_names("worker"))
def test_encodes_what_typescript_is_known_to_read(name: str) -> None:
    packed = pack_frames(encode(with_arrays(readable(name))))
    assert packed == (GOLDEN / "python" / f"{name}.msgpack").read_bytes()
    assert as_readable(decode_worker(unpack_frames(packed))) == readable(name)


def test_golden_files_are_there() -> None:
    assert len(golden_names("server")) >= 10
    assert len(golden_names("worker")) >= 7


def test_refuses_the_same_damage_with_the_same_code() -> None:
    cases = cast("list[dict[str, Any]]", json.loads((GOLDEN / "verdicts.json").read_text(encoding="utf-8")))
    assert len(cases) >= 500
    for index, case in enumerate(cases):
        frames = unpack_frames(base64.b64decode(case["packed"]))
        assert (index, verdict(case["direction"], frames)) == (index, case["verdict"])


def verdict(direction: str, frames: list[bytes]) -> str:
    try:
        DECODERS[direction](frames)
    except CodecError as error:
        return error.code
    return "ok"


def test_schema_file_is_the_one_of_the_protocol_room() -> None:
    generated = GOLDEN.parents[2] / "protocol" / "generated" / "schema.json"
    assert Path(codec.__file__).with_name("schema.json").read_bytes() == generated.read_bytes()
