"""The worker's one ZeroMQ socket: a DEALER that connects to the server's ROUTER and never blocks."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import zmq

from sim_bridge.codec import encode
from sim_bridge.wire import LIMITS

_HIGH_WATER_MARK = 1000
_RECONNECT_MS = 100
_RECONNECT_MAX_MS = 5000
_HEARTBEAT_INTERVAL_MS = 1000
_HEARTBEAT_TIMEOUT_MS = 5000
_GOODBYE_MS = 200
_MAX_DRAIN = 4096


@dataclass(frozen=True, slots=True)
class CurveKeys:
    """Keys for an encrypted connection, each 40 characters of Z85."""

    server_public: str
    secret: str


class ServerConnection:
    """Sends and receives whole messages as lists of frames.

    Messages are queued only while a connection stands (`IMMEDIATE`), so a server that comes back after a
    restart never receives rows of episodes that it does not know.
    """

    def __init__(self, endpoint: str, identity: str, curve: CurveKeys | None = None) -> None:
        """Starts connecting in the background; ZeroMQ retries with growing pauses.

        Args:
            endpoint: ZeroMQ address of the server, such as `tcp://127.0.0.1:5555`.
            identity: Routing id, so that a restarted worker takes its predecessor's place.
            curve: Keys, where the server demands them.

        Raises:
            zmq.ZMQError: the endpoint or a key is malformed.
        """
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        options = {
            zmq.LINGER: 0,
            zmq.IMMEDIATE: 1,
            zmq.SNDHWM: _HIGH_WATER_MARK,
            zmq.RCVHWM: _HIGH_WATER_MARK,
            zmq.MAXMSGSIZE: LIMITS["messageBytes"],
            zmq.RECONNECT_IVL: _RECONNECT_MS,
            zmq.RECONNECT_IVL_MAX: _RECONNECT_MAX_MS,
            zmq.HEARTBEAT_IVL: _HEARTBEAT_INTERVAL_MS,
            zmq.HEARTBEAT_TIMEOUT: _HEARTBEAT_TIMEOUT_MS,
        }
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        self._socket.setsockopt(zmq.ROUTING_ID, identity.encode())
        if curve is not None:
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, curve.server_public.encode("ascii"))
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, curve.secret.encode("ascii"))
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, zmq.curve_public(curve.secret.encode("ascii")))
        self._socket.connect(endpoint)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)

    def wake_on(self, descriptor: int) -> None:
        """Lets `wait` also return when a file descriptor becomes readable."""
        self._poller.register(descriptor, zmq.POLLIN)

    def wait(self, timeout_s: float) -> None:
        """Waits until something arrives or the time is over."""
        self._poller.poll(max(0, math.ceil(timeout_s * 1000)))

    def receive_all(self) -> list[list[bytes]]:
        """What has arrived, each message as its frames; bounded: a flood must not stop the simulators."""
        messages: list[list[bytes]] = []
        with contextlib.suppress(zmq.Again):
            while len(messages) < _MAX_DRAIN:
                messages.append(self._socket.recv_multipart(zmq.NOBLOCK))
        return messages

    def send(self, message: Mapping[str, Any]) -> bool:
        """Sends a message; False if there is no connection or the server has stopped reading."""
        return self.send_frames(encode(message))

    def send_frames(self, frames: list[bytes]) -> bool:
        """Sends frames as they are."""
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def close(self) -> None:
        """Closes at once, but gives a goodbye on its way a moment to leave."""
        self._socket.close(linger=_GOODBYE_MS)
        self._context.term()
