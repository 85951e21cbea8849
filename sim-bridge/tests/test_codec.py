"""What the codec accepts, what it refuses, and how it says so."""

from typing import Any, cast

import msgpack
import numpy as np
import pytest

from sim_bridge import codec
from sim_bridge.codec import decode_server, decode_worker, encode
from sim_bridge.wire import LIMITS, CodecError, Message


def act(rows: int = 2, width: int = 4) -> Message:
    return {
        "type": "act",
        "environments": np.arange(rows, dtype=np.uint16),
        "episodes": np.full(rows, 7, np.uint32),
        "actions": np.linspace(-1, 1, rows * width, dtype=np.float32).reshape(rows, width),
    }


def assign(**changes: Any) -> Message:
    message = {
        "type": "assign",
        "environment": 3,
        "episode": 17,
        "task": "metaworld/reach-v3",
        "protocol": "official-v3",
        "seed": 1,
        "start": 0,
        "horizon": 500,
        "actor": {"kind": "server"},
    }
    return {**message, **changes}


def packed(header: object) -> bytes:
    return cast("bytes", msgpack.packb(header))


def refusal(frames: list[bytes]) -> CodecError:
    with pytest.raises(CodecError) as caught:
        decode_server(frames)
    return caught.value


def test_tensors_are_views_of_their_frames() -> None:
    frames = encode(act())
    message = decode_server(frames)
    actions = message["actions"]
    assert actions.shape == (2, 4)
    assert actions.dtype == np.dtype("<f4")
    assert not actions.flags.writeable
    assert np.shares_memory(actions, np.frombuffer(frames[3], np.uint8))
    np.testing.assert_array_equal(actions, act()["actions"])


def test_a_decoded_message_belongs_to_its_caller() -> None:
    frames = encode(act())
    first = decode_server(frames)
    first["actions"] = None
    first["more"] = 1
    second = decode_server(encode(act()))
    assert set(second) == {"type", "environments", "episodes", "actions"}
    np.testing.assert_array_equal(second["actions"], act()["actions"])


def test_a_known_header_does_not_let_wrong_frames_through() -> None:
    frames = encode(act())
    decode_server(frames)
    assert refusal(frames[:-1]).code == "L2M_TENSOR_MISMATCH"
    assert refusal([*frames, b""]).code == "L2M_TENSOR_MISMATCH"
    assert refusal([*frames[:-1], frames[-1][:-1]]).code == "L2M_TENSOR_MISMATCH"
    assert decode_server(frames)["type"] == "act"


def test_known_headers_are_bounded() -> None:
    for rows in range(LIMITS["environmentsPerWorker"] + 1):
        decode_server(encode(act(rows)))
    known = codec._SERVER.known  # pyright: ignore[reportPrivateUsage]
    assert len(known) <= 64


def test_encodes_any_memory_layout() -> None:
    message = act(4, 6)
    message["actions"] = np.asfortranarray(message["actions"])
    np.testing.assert_array_equal(decode_server(encode(message))["actions"], act(4, 6)["actions"])
    message["actions"] = np.zeros((8, 12), np.float32)[::2, ::2]
    assert decode_server(encode(message))["actions"].shape == (4, 6)


def test_encoded_arrays_may_change_afterwards() -> None:
    message = act()
    frames = encode(message)
    message["actions"][:] = 0
    np.testing.assert_array_equal(decode_server(frames)["actions"], act()["actions"])


@pytest.mark.parametrize("dtype", ["float16", "int64", ">f4", "bool", "complex64", "object"])
def test_does_not_encode_other_data_types(dtype: str) -> None:
    with pytest.raises(CodecError) as caught:
        encode({"type": "act", "actions": np.zeros(2, dtype)})
    assert caught.value.code == "L2M_TENSOR_MISMATCH"


def test_encodes_numpy_numbers_and_nothing_unknown() -> None:
    heartbeat = {"type": "heartbeat", "tick": np.int64(5)}
    assert decode_worker(encode(heartbeat)) == {"type": "heartbeat", "tick": 5}
    with pytest.raises(TypeError, match="complex cannot be part of a message"):
        encode({"type": "heartbeat", "tick": 1j})


def test_whole_floats_become_integers() -> None:
    message = decode_server([packed(assign(environment=3.0, start=2.0**31))])
    assert isinstance(message["environment"], int)
    assert isinstance(message["start"], int)
    assert message["start"] == 2**31


def test_the_last_of_equal_keys_counts() -> None:
    header = (
        b"\x83"
        + packed("type")
        + packed("watch")
        + packed("type")
        + packed("drain")
        + packed("reason")
        + packed("r")
    )
    assert decode_server([header]) == {"type": "drain", "reason": "r"}


@pytest.mark.parametrize(
    ("frames", "code", "text"),
    [
        ([], "L2M_FRAME_MALFORMED", "no frames"),
        ([b""], "L2M_FRAME_MALFORMED", "ends too early at byte 0"),
        ([b"\x80"] * 19, "L2M_FRAME_TOO_LARGE", "19 frames of at most 18"),
        ([bytes(65537)], "L2M_FRAME_TOO_LARGE", "a header of 65537 bytes"),
        ([b"\x80", bytes(64 * 1024 * 1024)], "L2M_FRAME_TOO_LARGE", "67108865 bytes of at most 67108864"),
        ([b"\x90"], "L2M_FRAME_MALFORMED", "not a map"),
        ([b"\x80\x80"], "L2M_FRAME_MALFORMED", "1 bytes after the end"),
        ([b"\x81\xa1a\xdd\xff\xff\xff\xff"], "L2M_FRAME_MALFORMED", "a container of 4294967295 values"),
        ([b"\x81\xa1a\xdb\xff\xff\xff\xff"], "L2M_FRAME_MALFORMED", "a string of 4294967295 bytes"),
        ([b"\x81\xa1a\xc6\xff\xff\xff\xff"], "L2M_FRAME_MALFORMED", "type byte 0xc6 is not allowed"),
        ([b"\x81\xa1a" + b"\x91" * 500 + b"\xc0"], "L2M_FRAME_TOO_LARGE", "nesting deeper than 8"),
        ([packed({"a": [0] * 8191})], "L2M_FRAME_TOO_LARGE", "more than 8192 values"),
        ([packed({"a": [0] * 8189})], "L2M_MESSAGE_INVALID", "type is nothing"),
        ([packed({1: 2})], "L2M_FRAME_MALFORMED", "a key is not a string"),
        ([packed({b"type": "alive"})], "L2M_FRAME_MALFORMED", "a key is not a string"),
        ([packed({"type": b"alive"})], "L2M_FRAME_MALFORMED", 'key "type"'),
        ([packed({"constructor": 1})], "L2M_FRAME_MALFORMED", 'a forbidden key at byte 1, key "constructor"'),
        ([packed({"a": float("nan")})], "L2M_MESSAGE_INVALID", "not finite or too large"),
        ([packed({"a": 2**53})], "L2M_MESSAGE_INVALID", "not finite or too large"),
        ([b"\x81\xa1a\xa2\xc3\x28"], "L2M_FRAME_MALFORMED", "not UTF-8"),
        (
            [packed({"type": "observed"})],
            "L2M_MESSAGE_INVALID",
            'type is "observed", expected one of welcome',
        ),
        ([packed({"type": ["act"]})], "L2M_MESSAGE_INVALID", "type is an array of 1"),
        ([packed({"type": "watch"})], "L2M_MESSAGE_INVALID", "watch must have posesHz"),
        ([packed({"type": "alive", "x": 1})], "L2M_MESSAGE_INVALID", "alive must not contain {'x'}"),
        ([packed(assign(environment=256))], "L2M_MESSAGE_INVALID", "assign.environment"),
        (
            [packed(assign(environment=0.5))],
            "L2M_MESSAGE_INVALID",
            "assign.environment must be integer, got 0.5",
        ),
        ([packed(assign(environment=True))], "L2M_MESSAGE_INVALID", "assign.environment must be integer"),
        (
            [packed(assign(task="metaworld/reach-v3\n"))],
            "L2M_MESSAGE_INVALID",
            "assign.task must match pattern",
        ),
        ([packed(assign(actor={"kind": "expert"}))], "L2M_MESSAGE_INVALID", "assign.actor"),
    ],
)
def test_refuses(frames: list[bytes], code: str, text: str) -> None:
    error = refusal(frames)
    assert error.code == code
    assert text in error.message
    assert error.hint
    assert len(error.message) < 1000


def test_refuses_tensors_that_do_not_fit() -> None:
    environments = np.arange(2, dtype=np.uint16)
    cases: list[tuple[Message, str]] = [
        (
            {"actions": np.zeros((2, 4), np.float64)},
            "act.actions: expected float32 [n, A], got float64 [2, 4]",
        ),
        ({"actions": np.zeros(8, np.float32)}, "act.actions: expected float32 [n, A], got float32 [8]"),
        ({"actions": np.zeros((3, 4), np.float32)}, "act.actions: n is 2 elsewhere in the message, got 3"),
        ({"actions": np.zeros((2, 65), np.float32)}, "act.actions: A is at most 64, got 65"),
        ({"environments": np.arange(300, dtype=np.uint16)}, "act.environments: n is at most 256, got 300"),
    ]
    for change, text in cases:
        error = refusal(encode({**act(), "environments": environments, **change}))
        assert error.code == "L2M_TENSOR_MISMATCH"
        assert text in error.message


def test_refuses_frames_that_do_not_fit() -> None:
    header, *tensors = encode(act())
    assert "shares frame 0" in refusal([header.replace(b"frame\x01", b"frame\x00"), *tensors]).message
    assert "takes 4 bytes, got 5" in refusal([header, tensors[0] + b"x", *tensors[1:]]).message
    assert (
        "frame 15, the message has 3"
        in refusal([header.replace(b"frame\x02", b"frame\x0f"), *tensors]).message
    )
