"""The worker's loop: hears the server, steps what has an action, starts what was assigned, answers."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim_bridge.codec import decode_server
from sim_bridge.connection import ServerConnection
from sim_bridge.environments import Environments
from sim_bridge.episode import Assignment, Row
from sim_bridge.fault_injection import GARBAGE, FaultInjection
from sim_bridge.faults import Fault, fault_from
from sim_bridge.greeting import Greeting, Refused
from sim_bridge.pose_sampler import Watch
from sim_bridge.scene import SceneExport, export_scene
from sim_bridge.share import shares_of
from sim_bridge.simulator_pool import SimulatorPool
from sim_bridge.tick import TickTiming, observed_message
from sim_bridge.wire import CodecError

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Ignored:
    """How many messages or rows of the server were not acted upon."""

    malformed: int = 0
    late: int = 0
    """About an episode that is over, or from before the present greeting."""
    repeated: int = 0
    """A second action before the first was answered."""


class Worker:
    """E environments behind one socket.

    One pass of the loop takes what has arrived, steps every environment that has an action and sends their
    rows in one message, then starts at most one episode: rows never wait for a start that takes long, nor for
    environments whose action is not there yet.
    """

    def __init__(
        self,
        connection: ServerConnection,
        greeting: Greeting,
        pool: SimulatorPool,
        injection: FaultInjection | None = None,
    ) -> None:
        """Makes a worker that has not said anything yet.

        Args:
            connection: To the server.
            greeting: Says hello and knows the rhythm agreed upon.
            pool: Where simulators come from.
            injection: For tests of the server only.
        """
        self._connection = connection
        self._greeting = greeting
        self._pool = pool
        self._injection = injection
        self._watch = Watch()
        self._environments = Environments(pool, self._watch, injection)
        self._tick = 0
        self._wait_s = 0.0
        self._farewell: str | None = None
        self.ignored = Ignored()
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "welcome": self._welcome,
            "refused": self._refused,
            "describe": self._describe,
            "assign": self._assign,
            "act": self._act,
            "release": self._release,
            "watch": self._change_watch,
            "want-scene": self._want_scene,
            "drain": self._drain,
            "alive": lambda _: None,
        }

    def run(self, should_stop: Callable[[], str | None]) -> str:
        """Works until the server drains the worker or `should_stop` gives a reason.

        Args:
            should_stop: Asked once a pass.

        Returns:
            The reason, also told to the server.

        Raises:
            Refused: the server will not work with this worker.
        """
        while self._farewell is None:
            self._listen()
            self._keep_in_touch()
            self._send_outcomes(self._environments.step_ready())
            started = self._environments.start_next()
            self._send_outcomes([] if started is None else [started])
            self._farewell = self._farewell or should_stop()
        self._connection.send({"type": "bye", "reason": self._farewell})
        return self._farewell

    def _listen(self) -> None:
        if not self._environments.busy:
            before = time.perf_counter()
            self._connection.wait(self._greeting.seconds_until_due())
            self._wait_s += time.perf_counter() - before
        for frames in self._connection.receive_all():
            self._hear(frames)
            # Each of many questions may load a simulator; together they take longer than silence may last.
            self._beat()

    def _hear(self, frames: list[bytes]) -> None:
        try:
            message = decode_server(frames)
        except CodecError as error:
            self.ignored.malformed += 1
            _log.warning("ignored a message of the server: %s", error)
            return
        self._greeting.heard()
        kind: str = message["type"]
        if not self._greeting.welcomed and kind not in {"welcome", "refused", "drain"}:
            self.ignored.late += 1
            return
        self._handlers[kind](message)

    # What the server says.

    def _welcome(self, message: dict[str, Any]) -> None:
        self._environments.clear()
        self._greeting.accept(message)

    def _refused(self, message: dict[str, Any]) -> None:
        text = f"{message['code']}: {message['message']} {message['hint']}"
        if not self._greeting.welcomed or message["code"] == "L2M_VERSION_REFUSED":
            raise Refused(text)
        _log.error("the server refused a message: %s", text)

    def _describe(self, message: dict[str, Any]) -> None:
        try:
            simulator = self._pool.take(message["task"])
        except Exception as error:
            self._send(fault_from(error).as_message())
            return
        self._pool.give_back(simulator)
        self._send({"type": "described", "spec": simulator.spec.as_message()})

    def _want_scene(self, message: dict[str, Any]) -> None:
        try:
            simulator = self._pool.take(message["task"])
            # Some tasks set sizes and colours when an episode starts, always the same ones.
            simulator.start("l2m-paper", 0, 0)
            scene = export_scene(simulator.model)
        except Exception as error:
            self._send(fault_from(error).as_message())
            return
        self._pool.give_back(simulator)
        self._send(_scene_message(simulator.spec.task, scene))

    def _assign(self, message: dict[str, Any]) -> None:
        assignment = Assignment.from_message(message)
        count = self._greeting.environments
        if assignment.environment < count:
            self._environments.assign(assignment)
        else:
            fault = Fault("L2M_MESSAGE_UNEXPECTED", f"this worker has {count} environments", assignment)
            self._send(fault.as_message())

    def _act(self, message: dict[str, Any]) -> None:
        environments, episodes = message["environments"].tolist(), message["episodes"].tolist()
        # The shares may go on for ever.
        rows = zip(environments, episodes, message["actions"], shares_of(message), strict=False)
        for environment, episode, action, share in rows:
            verdict = self._environments.act(environment, episode, action, share)
            if verdict == "late":
                self.ignored.late += 1
            elif verdict == "repeated":
                self.ignored.repeated += 1

    def _release(self, message: dict[str, Any]) -> None:
        if not self._environments.release(message["environment"], message["episode"]):
            self.ignored.late += 1

    def _change_watch(self, message: dict[str, Any]) -> None:
        self._watch.poses_hz = message["posesHz"]
        self._watch.contacts = message.get("contacts", False)

    def _drain(self, message: dict[str, Any]) -> None:
        self._farewell = f"drained: {message['reason']}"

    # What the server is told.

    def _send_outcomes(self, outcomes: list[Row | Fault]) -> None:
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        if self._injection is not None and self._injection.garbage_due:
            self._connection.send_frames(GARBAGE)
            return
        if rows:
            timing = TickTiming(self._environments.take_simulated_ms(), self._wait_s * 1000)
            self._wait_s = 0.0
            self._tick += 1
            self._send(observed_message(rows, self._tick, timing))
        for assignment, scene in self._environments.take_scenes():
            self._send(_scene_message(assignment.task, scene) | {"episode": assignment.episode})
        for outcome in outcomes:
            if isinstance(outcome, Fault):
                self._send(outcome.as_message())

    def _send(self, message: dict[str, Any]) -> None:
        if not self._connection.send(message):
            self._say_hello_anew("the server cannot be reached")

    def _keep_in_touch(self) -> None:
        if self._greeting.is_overdue():
            self._say_hello_anew("the server is silent")
        self._beat()

    def _beat(self) -> None:
        if not self._greeting.keep_in_touch(self._connection, self._tick):
            self._say_hello_anew("the server cannot be reached")

    def _say_hello_anew(self, reason: str) -> None:
        """Ends all episodes: whoever says hello has nothing running, and the server counts on that."""
        _log.warning("%s; saying hello anew", reason)
        self._environments.clear()
        self._greeting.start_over()


def _scene_message(task: str, scene: SceneExport) -> dict[str, Any]:
    return {
        "type": "scene",
        "task": task,
        "hash": scene.hash,
        "manifest": np.frombuffer(scene.manifest_json, dtype=np.uint8),
        "assets": np.frombuffer(scene.assets, dtype=np.uint8),
    }
