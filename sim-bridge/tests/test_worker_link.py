"""Greeting, heartbeats, silence and farewell between the worker in a thread and a real ROUTER socket."""

import logging
import time

import pytest

from fake_server import FakeServer, WorkerThread, wait_until
from sim_bridge.registry import TASK_IDS

CARTPOLE = "dmcontrol/cartpole-balance"


def test_garbage_of_the_server_is_ignored_and_logged(
    server: FakeServer, worker: WorkerThread, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        server.send_frames([b"\xc1\xff\xff"])
        server.send_frames([b""])
        server.send({"type": "no-such-message"})
        server.assign(0, 1, CARTPOLE)
        server.receive("observed")
    assert worker.worker.ignored.malformed == 3
    assert sum("ignored a message of the server" in record.message for record in caplog.records) == 3


def test_heartbeats_come_in_the_agreed_rhythm(server: FakeServer) -> None:
    with WorkerThread(server):
        server.welcome(heartbeat_ms=50)
        server.receive("heartbeat")
        started = time.monotonic()
        for _ in range(4):
            server.receive("heartbeat")
        assert time.monotonic() - started >= 0.15


def test_heartbeats_go_on_while_many_tasks_are_described(server: FakeServer) -> None:
    """Loading simulators takes its time; a server must not take that for death."""
    tasks = [task for task in TASK_IDS if task.startswith("metaworld/")][:12]
    with WorkerThread(server, max_idle=1):
        server.welcome(heartbeat_ms=50)
        for task in tasks:
            server.send({"type": "describe", "task": task})
        described = beats = 0
        while described < len(tasks):
            if server.receive("described", "heartbeat")["type"] == "described":
                described += 1
            else:
                beats += 1
    assert beats >= len(tasks) // 2


def test_silence_of_the_server_brings_a_new_hello_and_forgets_all_episodes(server: FakeServer) -> None:
    with WorkerThread(server) as worker:
        server.welcome(liveness_ms=1500)
        server.assign(0, 1, CARTPOLE)
        server.receive("observed")
        server.welcome()
        server.act((0, 1, [0.0]))
        wait_until(lambda: worker.worker.ignored.late == 1)
        assert server.hears_nothing_but_heartbeats(0.2)
        server.assign(0, 1, CARTPOLE)
        server.receive("observed")


def test_a_talking_server_is_not_silent(server: FakeServer) -> None:
    with WorkerThread(server):
        server.welcome(liveness_ms=1500)
        for _ in range(5):
            time.sleep(0.4)
            server.send({"type": "alive"})
        assert server.hears_nothing_but_heartbeats(0.1)


def test_assignments_from_before_a_welcome_are_not_started(server: FakeServer) -> None:
    with WorkerThread(server) as worker:
        server.receive("hello")
        server.assign(0, 1, CARTPOLE)
        wait_until(lambda: worker.worker.ignored.late == 1)
        server.welcome()
        assert server.hears_nothing_but_heartbeats(0.3)


def test_a_restarted_server_is_greeted_and_gets_no_old_rows() -> None:
    first = FakeServer()
    with WorkerThread(first):
        first.welcome(heartbeat_ms=50, liveness_ms=1500)
        first.assign(0, 1, CARTPOLE)
        first.receive("observed")
        first.act((0, 1, [0.0]))
        endpoint = first.endpoint
        first.close()
        time.sleep(1.7)
        with FakeServer(endpoint) as second:
            second.welcome()
            second.assign(0, 1, CARTPOLE)
            assert second.receive("observed")["steps"].tolist() == [0]


def test_drain_says_bye(server: FakeServer, worker: WorkerThread) -> None:
    server.assign(0, 1, CARTPOLE)
    server.receive("observed")
    server.send({"type": "drain", "reason": "enough"})
    assert "enough" in server.receive("bye")["reason"]
    assert worker.join() == "drained: enough"


def test_a_refusal_ends_the_worker_with_the_servers_words(server: FakeServer) -> None:
    with WorkerThread(server) as worker:
        server.receive("hello")
        server.send({"type": "refused", "code": "L2M_VERSION_REFUSED", "message": "Old.", "hint": "Update."})
        assert str(worker.join()) == "L2M_VERSION_REFUSED: Old. Update."
