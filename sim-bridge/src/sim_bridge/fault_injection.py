"""Breaks a worker on purpose, so that tests of the server meet real broken workers. For `--inject` alone."""

import os
import time
from dataclasses import dataclass
from typing import Literal, get_args

FaultKind = Literal["hang", "crash", "garbage", "fault", "unstable"]

CRASH_EXIT_CODE = 70
GARBAGE = [b"\xc1\xff\x00 this is no message", b"\x00" * 7]


@dataclass(slots=True)
class FaultInjection:
    """One fault after a number of steps of the whole worker."""

    kind: FaultKind
    after_steps: int
    steps: int = 0

    def due(self) -> FaultKind | None:
        """Counts one step; when it is time, hangs, crashes, or names the kind that the caller carries out."""
        self.steps += 1
        if self.steps != self.after_steps + 1:
            return None
        if self.kind == "crash":
            os._exit(CRASH_EXIT_CODE)
        while self.kind == "hang":
            time.sleep(3600)
        return self.kind

    @property
    def garbage_due(self) -> bool:
        """Whether the next answer shall be garbage."""
        return self.kind == "garbage" and self.steps > self.after_steps


def parse_injection(text: str) -> FaultInjection:
    """Reads `hang-after-steps=20` and the like.

    Raises:
        ValueError: the text has another form.
    """
    name, _, count = text.partition("=")
    kind = name.removesuffix("-after-steps")
    for known in get_args(FaultKind):
        if name != kind and kind == known and count.isdecimal():
            return FaultInjection(known, int(count))
    kinds = ", ".join(get_args(FaultKind))
    raise ValueError(f"expected KIND-after-steps=N with KIND one of {kinds}, got {text!r}")
