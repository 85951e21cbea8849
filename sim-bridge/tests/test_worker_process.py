"""The worker as its own process, started by its command line as the server starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import zmq

from fake_server import DEADLINE_S, FakeServer
from playing import Start, play, random_actions
from sim_bridge.codec import decode_worker
from sim_bridge.fault_injection import CRASH_EXIT_CODE
from sim_bridge.registry import make_simulator
from sim_bridge.wire import CodecError

Process = subprocess.Popen[bytes]

CARTPOLE = "dmcontrol/cartpole-balance"
# Terrain drawn at a start, a model drawn at a start, contacts, a big model, targets in the model.
CROSS_PROCESS_TASKS = [
    "dmcontrol/quadruped-escape",
    "dmcontrol/lqr-lqr_6_2",
    "dmcontrol/finger-turn_hard",
    "dmcontrol/humanoid-run",
    "metaworld/hammer-v3",
    "metaworld/pick-place-v3",
    "metaworld/basketball-v3",
]


@contextmanager
def worker_process(server: FakeServer, *arguments: str) -> Generator[Process]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "sim_bridge", "--server", server.endpoint, "--worker-id", "w-0"]
    with subprocess.Popen([*command, *arguments], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: Process) -> tuple[int, bytes, str]:
    """Exit code, standard output and standard error."""
    code = process.wait(DEADLINE_S)
    assert process.stdout is not None
    assert process.stderr is not None
    return code, process.stdout.read(), process.stderr.read().decode()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


def test_drained_worker_exits_with_0_and_never_writes_to_standard_output(server: FakeServer) -> None:
    with worker_process(server, "--environments", "2") as process:
        hello = server.welcome()
        assert (hello["workerId"], hello["processId"], hello["environments"]) == ("w-0", process.pid, 2)
        server.assign(0, 1, "metaworld/reach-v3")
        server.receive("observed")
        server.send({"type": "drain", "reason": "enough"})
        server.receive("bye")
        code, output, log = ended(process)
    assert (code, output) == (0, b"")
    assert "drained: enough" in log


def test_worker_ends_when_its_parent_closes_the_pipe(server: FakeServer) -> None:
    with worker_process(server) as process:
        server.welcome()
        assert process.stdin is not None
        process.stdin.close()
        assert "gone" in server.receive("bye")["reason"]
        assert process.wait(DEADLINE_S) == 0


def test_worker_ends_on_sigterm_but_leaves_ctrl_c_to_the_server(server: FakeServer) -> None:
    with worker_process(server) as process:
        server.welcome(heartbeat_ms=50)
        server.receive("heartbeat")
        process.send_signal(signal.SIGINT)
        assert server.hears_nothing_but_heartbeats(0.3)
        assert process.poll() is None
        process.terminate()
        assert "SIGTERM" in server.receive("bye")["reason"]
        assert process.wait(DEADLINE_S) == 0


def test_refused_worker_exits_with_3(server: FakeServer) -> None:
    with worker_process(server) as process:
        server.receive("hello")
        server.send({"type": "refused", "code": "L2M_VERSION_REFUSED", "message": "Old.", "hint": "Update."})
        code, _, log = ended(process)
    assert code == 3
    assert "L2M_VERSION_REFUSED: Old. Update." in log


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--environments", "0"], "whole number from 1 to 256"),
        (["--worker-id", "no spaces"], "letters, digits"),
        (["--inject", "nonsense"], "KIND-after-steps=N"),
        (["--curve-server-key", "x" * 40], "belong together"),
        (["--server", "nonsense"], "cannot connect to nonsense"),
    ],
)
def test_wrong_arguments_exit_with_2_and_say_why(server: FakeServer, arguments: list[str], text: str) -> None:
    with worker_process(server, *arguments) as process:
        code, _, log = ended(process)
    assert code == 2
    assert text in log
    assert "Traceback" not in log


def is_message(frames: list[bytes]) -> bool:
    try:
        decode_worker(frames)
    except CodecError:
        return False
    return True


def run_into_fault(server: FakeServer) -> None:
    server.welcome(heartbeat_ms=50)
    server.assign(0, 1, CARTPOLE)
    server.receive("observed")
    for step in (1, 2):
        server.act((0, 1, [0.0]))
        assert server.receive("observed")["steps"].tolist() == [step]
    server.act((0, 1, [0.0]))


def test_injected_crash_ends_the_process(server: FakeServer) -> None:
    with worker_process(server, "--inject", "crash-after-steps=2") as process:
        run_into_fault(server)
        assert process.wait(DEADLINE_S) == CRASH_EXIT_CODE


def test_injected_hang_silences_even_the_heartbeat(server: FakeServer) -> None:
    with worker_process(server, "--inject", "hang-after-steps=2") as process:
        run_into_fault(server)
        end = time.monotonic() + DEADLINE_S
        while server.socket.poll(1000):
            assert decode_worker(server.receive_frames())["type"] == "heartbeat"
            assert time.monotonic() < end
        assert process.poll() is None


def test_injected_garbage_is_no_message(server: FakeServer) -> None:
    with worker_process(server, "--inject", "garbage-after-steps=2"):
        run_into_fault(server)
        frames = [server.receive_frames() for _ in range(20)]
        assert not all(is_message(each) for each in frames)


def test_injected_instability_is_flagged(server: FakeServer) -> None:
    with worker_process(server, "--inject", "unstable-after-steps=2"):
        run_into_fault(server)
        assert server.receive("observed")["flags"].tolist() == [8]


def test_orphan_ends_although_somebody_else_holds_the_pipe(server: FakeServer) -> None:
    """The pipe can be inherited by others; the parent's process id cannot."""
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=0)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    worker = [sys.executable, "-m", "sim_bridge", "--server", server.endpoint]
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script, *worker]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            server.welcome(heartbeat_ms=50)
            parent.kill()
            assert "gone" in server.receive("bye")["reason"]
        finally:
            parent.kill()
            if Path(f"/proc/{child}").exists():
                os.kill(child, signal.SIGKILL)


def test_same_bits_in_another_process(server: FakeServer) -> None:
    """Seven tasks at once in one worker, compared with simulators of this process."""
    with worker_process(server, "--environments", "7"):
        server.welcome()
        expected: list[np.ndarray] = []
        actions: list[np.ndarray] = []
        for environment, task in enumerate(CROSS_PROCESS_TASKS):
            simulator = make_simulator(task)
            actions.append(random_actions(simulator, 12, seed=environment))
            expected.append(play(simulator, Start(), actions[-1]).observations.astype(np.float32))
            server.assign(environment, environment + 1, task)
        got: list[list[np.ndarray]] = [[] for _ in CROSS_PROCESS_TASKS]
        for environment, _ in enumerate(CROSS_PROCESS_TASKS):
            got[environment].append(server.receive("observed")["observations"][0])
        for step in range(12):
            padded = [np.pad(own[step], (0, 21 - own.shape[1])) for own in actions]
            server.act(*((index, index + 1, action) for index, action in enumerate(padded)))
            received = 0
            while received < len(got):
                tick = server.receive("observed")
                received += len(tick["environments"])
                for environment, observation in zip(tick["environments"], tick["observations"], strict=True):
                    got[environment].append(observation)
    for own, wanted in zip(got, expected, strict=True):
        width = wanted.shape[1]
        assert np.array([row[:width] for row in own]).tobytes() == wanted.tobytes()


def test_encrypted_connection_needs_the_right_keys(tmp_path: Path) -> None:
    server_public, server_secret = zmq.curve_keypair()
    _, worker_secret = zmq.curve_keypair()
    key_file = tmp_path / "worker.key"
    key_file.write_bytes(worker_secret)
    wrong_key, _ = zmq.curve_keypair()
    with FakeServer(curve_secret=server_secret) as server:
        encrypted = ["--curve-secret-file", str(key_file), "--curve-server-key"]
        with worker_process(server, *encrypted, wrong_key.decode()), pytest.raises(TimeoutError):
            server.receive_frames(within_s=2.0)
        with worker_process(server, *encrypted, server_public.decode()):
            assert server.welcome()["type"] == "hello"
