"""The failures of a simulator that the server is told about, by code of `protocol/error-codes.ts`."""

from typing import Literal

ErrorCode = Literal[
    "L2M_FRAME_MALFORMED",
    "L2M_MESSAGE_UNEXPECTED",
    "L2M_SIMULATOR_FAULT",
    "L2M_START_UNKNOWN",
    "L2M_TASK_UNKNOWN",
    "L2M_TASK_UNSUPPORTED",
]


class SimulatorError(Exception):
    """A request that a simulator cannot fulfil; the code tells the server what to do about it."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        """Keeps code and message apart; the message holds no traceback and no path."""
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
