"""The decoder under random and damaged messages: an answer each, quickly, in bounded memory."""

import resource
import sys
import time
from collections import Counter

import numpy as np

from codec_golden import GOLDEN, as_readable, golden_names, readable, unpack_frames
from codec_mutations import mutate
from sim_bridge.codec import decode_server, decode_worker
from sim_bridge.wire import CodecError, Message

MESSAGES = 100_000
SEED = 7
CODES = {"L2M_FRAME_TOO_LARGE", "L2M_FRAME_MALFORMED", "L2M_MESSAGE_INVALID", "L2M_TENSOR_MISMATCH"}
# Of processor time: waiting for a core is not the decoder's doing. A hang is far beyond it.
LONGEST_SECONDS = 0.5
LARGEST_GROWTH_BYTES = 128 * 1024 * 1024
LONGEST_ERROR = 1000


def peak_bytes() -> int:
    """Largest resident size of this process so far; the system counts in bytes on macOS, elsewhere in KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def test_every_damaged_message_gets_a_message_or_a_code() -> None:
    rng = np.random.default_rng(SEED)
    names = [*golden_names("server"), *golden_names("worker")]
    valid = [unpack_frames((GOLDEN / "typescript" / f"{name}.msgpack").read_bytes()) for name in names]
    expected = [readable(name) for name in names]
    decoders = [decode_server if name.startswith("server") else decode_worker for name in names]
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    longest_error = 0
    peak_before = peak_bytes()
    for index in range(MESSAGES):
        base = index % len(names)
        damaged = mutate(valid[base], valid, rng)
        decode = decoders[base] if rng.random() < 0.9 else decode_server
        start = time.process_time()
        try:
            message = decode(damaged)
        except CodecError as error:
            outcomes[error.code] += 1
            longest_error = max(longest_error, len(str(error)))
        else:
            outcomes["ok"] += 1
            read_everything(message)
        slowest = max(slowest, time.process_time() - start)
        if index % 500 == 0:
            assert as_readable(decoders[base](valid[base])) == expected[base]
    assert slowest < LONGEST_SECONDS
    assert longest_error < LONGEST_ERROR
    assert peak_bytes() - peak_before < LARGEST_GROWTH_BYTES
    assert set(outcomes) == {"ok", *CODES}
    # The damage reaches every stage of the decoder, also the end.
    assert min(outcomes.values()) > MESSAGES / 200


def read_everything(message: Message) -> None:
    """An accepted message can be used: every byte of its tensors can be read."""
    for value in message.values():
        if isinstance(value, np.ndarray):
            value.tobytes()
