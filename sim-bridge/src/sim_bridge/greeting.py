"""Hello, heartbeats and the silence after which the worker says hello anew."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from typing import Any

from sim_bridge.connection import ServerConnection
from sim_bridge.registry import TASK_IDS
from sim_bridge.wire import PROTOCOL_VERSION

_PACKAGES = ("mujoco", "metaworld", "dm_control", "numpy")
_FIRST_RETRY_S = 0.02
_LAST_RETRY_S = 1.0
_FIRST_REPEAT_S = 5.0
_LAST_REPEAT_S = 10.0


class Refused(Exception):  # noqa: N818
    """The server will not work with this worker."""


class Greeting:
    """Whether the server knows this worker, and when to say what to keep it so."""

    def __init__(
        self, worker_id: str, environments: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing has been said yet.

        Args:
            worker_id: Name of the worker, unique among the server's.
            environments: How many episodes it plays at a time.
            clock: Seconds.

        Raises:
            importlib.metadata.PackageNotFoundError: a simulator package is missing.
        """
        self.environments = environments
        self.welcomed = False
        self._clock = clock
        self._hello: dict[str, Any] = {
            "type": "hello",
            "protocol": PROTOCOL_VERSION,
            "workerId": worker_id,
            "processId": os.getpid(),
            "engine": "python",
            "versions": {
                "python": platform.python_version(),
                **{name: importlib.metadata.version(name) for name in _PACKAGES},
            },
            "environments": environments,
            "tasks": list(TASK_IDS),
        }
        self._heartbeat_s = self._liveness_s = 0.0
        self.start_over()

    def start_over(self) -> None:
        """Goes back to before the first hello. The caller ends its episodes."""
        self.welcomed = False
        self._due = self._heard_at = self._clock()
        self._retry_s, self._repeat_s = _FIRST_RETRY_S, _FIRST_REPEAT_S

    def accept(self, welcome: dict[str, Any]) -> None:
        """Takes over the rhythm that the server asks for.

        Raises:
            Refused: the server speaks another major version of the protocol.
        """
        theirs = welcome["protocol"]
        if theirs["major"] != PROTOCOL_VERSION["major"]:
            raise Refused(f"the server speaks protocol {theirs}, this worker {PROTOCOL_VERSION}")
        self.welcomed = True
        self._heartbeat_s = welcome["heartbeatMs"] / 1000
        self._liveness_s = welcome["livenessMs"] / 1000
        self._due = self._clock() + self._heartbeat_s

    def heard(self) -> None:
        """Notes that the server is alive."""
        self._heard_at = self._clock()

    def is_overdue(self) -> bool:
        """Whether a known server was silent for too long. Ask only after taking in all that has arrived."""
        return self.welcomed and self._clock() - self._heard_at > self._liveness_s

    def seconds_until_due(self) -> float:
        """How long the worker may wait before it must say something or notice a silence."""
        due = min(self._due, self._heard_at + self._liveness_s) if self.welcomed else self._due
        return max(0.0, due - self._clock())

    def keep_in_touch(self, connection: ServerConnection, tick: int) -> bool:
        """Says hello or sends a heartbeat if it is time.

        Args:
            connection: To the server.
            tick: Number of the last tick.

        Returns:
            False if a known server cannot be reached any more.
        """
        now = self._clock()
        if now < self._due:
            return True
        if self.welcomed:
            self._due = now + self._heartbeat_s
            return connection.send({"type": "heartbeat", "tick": tick})
        if connection.send(self._hello):
            self._due = now + self._repeat_s
            self._repeat_s = min(2 * self._repeat_s, _LAST_REPEAT_S)
        else:
            self._due = now + self._retry_s
            self._retry_s = min(2 * self._retry_s, _LAST_RETRY_S)
        return True
