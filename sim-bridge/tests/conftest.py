"""Imports the package before anything else can import a simulator: it sets that nothing is rendered."""

from collections.abc import Iterator

import pytest

import sim_bridge
from fake_server import FakeServer, WorkerThread

assert sim_bridge.__version__


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def worker(server: FakeServer) -> Iterator[WorkerThread]:
    with WorkerThread(server) as worker:
        server.welcome()
        yield worker
