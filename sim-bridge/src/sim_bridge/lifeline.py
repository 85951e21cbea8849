"""Ends the worker with the process that started it, so that no simulator is ever left behind."""

import os
import stat

_STANDARD_INPUT = 0


class Lifeline:
    """Watches the parent: its end of our standard input, where that is a pipe, and its process id."""

    def __init__(self, *, detached: bool) -> None:
        """Remembers the parent.

        Args:
            detached: Whether the worker shall go on without its parent (started by hand on another machine).
        """
        self._detached = detached
        self._parent = os.getppid()
        self.descriptor: int | None = None
        """Becomes readable when the pipe closes; None where standard input is no pipe."""
        if not detached and _is_pipe(_STANDARD_INPUT):
            self.descriptor = _STANDARD_INPUT
            os.set_blocking(_STANDARD_INPUT, False)

    @property
    def supervised(self) -> bool:
        """Whether a parent holds a pipe to us; it then decides when we stop, also on Ctrl-C."""
        return self.descriptor is not None

    def is_cut(self) -> bool:
        """Whether the parent is gone."""
        if self._detached:
            return False
        return os.getppid() != self._parent or (self.descriptor is not None and _is_at_end(self.descriptor))


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _is_at_end(descriptor: int) -> bool:
    try:
        return os.read(descriptor, 4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
