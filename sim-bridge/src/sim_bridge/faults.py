"""What the server is told when something goes wrong: a code and a sentence, never a traceback."""

import logging
from dataclasses import dataclass
from typing import Any

from sim_bridge.episode import Assignment
from sim_bridge.errors import ErrorCode, SimulatorError

_log = logging.getLogger(__name__)

_SHOWN_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure of one episode, or of an answer where there is no assignment."""

    code: ErrorCode
    text: str
    assignment: Assignment | None = None

    def as_message(self) -> dict[str, Any]:
        """The `fault` message."""
        message: dict[str, Any] = {"type": "fault", "code": self.code, "message": self.text}
        if self.assignment is not None:
            message |= {"environment": self.assignment.environment, "episode": self.assignment.episode}
        return message


def fault_from(error: Exception, assignment: Assignment | None = None) -> Fault:
    """Turns any exception into a fault; an unforeseen one also goes to the log, with its traceback."""
    if isinstance(error, SimulatorError):
        return Fault(error.code, error.message, assignment)
    _log.error("a simulator failed", exc_info=error)
    first_line = str(error).partition("\n")[0]
    return Fault(
        "L2M_SIMULATOR_FAULT", f"{type(error).__name__}: {first_line}"[:_SHOWN_CHARACTERS], assignment
    )
