"""The server's end of the wire for tests: a real ROUTER socket that speaks real messages."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import zmq

from sim_bridge.codec import decode_worker, encode
from sim_bridge.connection import ServerConnection
from sim_bridge.fault_injection import FaultInjection
from sim_bridge.greeting import Greeting
from sim_bridge.simulator_pool import SimulatorPool
from sim_bridge.worker import Worker

Message = dict[str, Any]

DEADLINE_S = 60.0
_ROW_FIELDS = ("episodes", "steps", "observations", "rewards", "flags", "executed", "targets")
_SERVER_ACTOR: Message = {"kind": "server"}


class FakeServer:
    """One ROUTER and the worker that spoke last. Every wait has a deadline."""

    def __init__(self, endpoint: str = "tcp://127.0.0.1:*", curve_secret: bytes | None = None) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self._context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        if curve_secret is not None:
            self.socket.setsockopt(zmq.CURVE_SERVER, 1)
            self.socket.setsockopt(zmq.CURVE_SECRETKEY, curve_secret)
        self.socket.bind(endpoint)
        self.endpoint = str(self.socket.get_string(zmq.LAST_ENDPOINT)).rstrip("\0")
        self.peer = b""

    def __enter__(self) -> "FakeServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()
        self._context.term()

    def receive_frames(self, within_s: float = DEADLINE_S) -> list[bytes]:
        if not self.socket.poll(round(within_s * 1000)):
            raise TimeoutError(f"nothing from the worker for {within_s} s")
        self.peer, *frames = self.socket.recv_multipart()
        return frames

    def receive(self, *kinds: str, within_s: float = DEADLINE_S) -> Message:
        """The next message of one of the kinds; heartbeats are skipped, anything else is an error."""
        end = time.monotonic() + within_s
        while True:
            message = decode_worker(self.receive_frames(max(0.0, end - time.monotonic())))
            if message["type"] in kinds:
                return message
            if message["type"] != "heartbeat":
                raise AssertionError(f"expected {kinds}, got {message}")

    def receive_rows(self, *environments: int) -> dict[int, Message]:
        """The next row of each environment, from as many ticks as it takes; without the first axis."""
        rows: dict[int, Message] = {}
        while set(rows) != set(environments):
            tick = self.receive("observed")
            for index, environment in enumerate(tick["environments"].tolist()):
                assert environment in environments, f"a row of environment {environment}"
                assert environment not in rows, f"a second row of environment {environment}"
                rows[environment] = {name: tick[name][index] for name in _ROW_FIELDS if name in tick}
        return rows

    def hears_nothing_but_heartbeats(self, for_s: float) -> bool:
        end = time.monotonic() + for_s
        while (left := end - time.monotonic()) > 0:
            if not self.socket.poll(round(left * 1000)):
                return True
            if decode_worker(self.receive_frames())["type"] != "heartbeat":
                return False
        return True

    def send(self, message: Message) -> None:
        self.send_frames(encode(message))

    def send_frames(self, frames: list[bytes]) -> None:
        self.socket.send_multipart([self.peer, *frames])

    def welcome(self, heartbeat_ms: int = 200, liveness_ms: int = 600_000) -> Message:
        hello = self.receive("hello")
        self.send(
            {
                "type": "welcome",
                "protocol": {"major": 1, "minor": 0},
                "serverId": "test",
                "heartbeatMs": heartbeat_ms,
                "livenessMs": liveness_ms,
            }
        )
        return hello

    def assign(self, environment: int, episode: int, task: str, **changes: Any) -> None:
        message: Message = {
            "type": "assign",
            "environment": environment,
            "episode": episode,
            "task": task,
            "protocol": "l2m-paper",
            "seed": 3,
            "start": 7,
            "horizon": 100,
            "actor": _SERVER_ACTOR,
        }
        self.send(message | changes)

    def act(self, *rows: tuple[int, int, Any]) -> None:
        """Rows of environment, episode and action."""
        environments, episodes, actions = zip(*rows, strict=True)
        self.send(
            {
                "type": "act",
                "environments": np.array(environments, dtype=np.uint16),
                "episodes": np.array(episodes, dtype=np.uint32),
                "actions": np.array(actions, dtype=np.float32),
            }
        )


class WorkerThread:
    """A real worker in a thread of the test, connected to a fake server."""

    def __init__(
        self,
        server: FakeServer,
        environments: int = 4,
        injection: FaultInjection | None = None,
        max_idle: int = 4,
    ) -> None:
        self._stop: str | None = None
        self.result: str | BaseException | None = None
        connection = ServerConnection(server.endpoint, "worker-under-test")
        greeting = Greeting("worker-under-test", environments)
        self.worker = Worker(connection, greeting, SimulatorPool(max_idle), injection)

        def run() -> None:
            try:
                self.result = self.worker.run(lambda: self._stop)
            except Exception as error:
                self.result = error
            finally:
                connection.close()

        # The socket moves to the thread before its first use there, which ZeroMQ allows.
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def __enter__(self) -> "WorkerThread":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = "the test is over"
        self.join()

    def join(self) -> str | BaseException | None:
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        return self.result


def wait_until(condition: Callable[[], bool], within_s: float = DEADLINE_S) -> None:
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)
