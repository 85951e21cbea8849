"""Steps a second of bare simulators and of a worker process with the same work, in turn (Linux).

python sim-bridge/bench/rates.py [EPISODES_PER_ROUND]

The rates per second of processor time hold on a busy machine too; those of wall time need two free cores.
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fake_server import FakeServer
from sim_bridge.registry import make_simulator
from sim_bridge.simulator import Float64Array, Simulator
from test_worker_process import worker_process

ENVIRONMENTS = 8
HORIZON = 200
ROUNDS = 5
TASKS = ["metaworld/reach-v3", "metaworld/hammer-v3", "dmcontrol/walker-walk", "dmcontrol/cheetah-run"]


def bare(simulators: list[Simulator], episodes: int) -> list[float]:
    """Steps a second of wall time and of processor time; starts included, as in the worker."""
    action = np.zeros(simulators[0].spec.action_size, dtype=np.float32)
    wall, cpu = time.perf_counter(), time.process_time()
    for episode in range(episodes):
        for index, simulator in enumerate(simulators):
            simulator.start("l2m-paper", episode, index)
        for _ in range(HORIZON):
            for simulator in simulators:
                simulator.step(action)
    steps = episodes * len(simulators) * HORIZON
    return [steps / (time.perf_counter() - wall), steps / (time.process_time() - cpu)]


class ThroughWire:
    """Gives each group of environments its actions as soon as all its rows are here, as the server does."""

    def __init__(self, server: FakeServer, worker: int, task: str) -> None:
        self._server = server
        self._worker = worker
        self._task = task
        self._action = np.zeros(make_simulator(task).spec.action_size)
        self._episode = 0

    def run(self, episodes: int, groups: int) -> list[float]:
        """Steps a second of wall time and of the worker's processor time."""
        wall, cpu = time.perf_counter(), self._cpu_s()
        left = dict.fromkeys(range(ENVIRONMENTS), episodes)
        for environment in range(ENVIRONMENTS):
            self._assign(environment)
        ready: dict[int, int] = {}
        members = [range(first, ENVIRONMENTS, groups) for first in range(groups)]
        while any(left.values()):
            tick = self._server.receive("observed")
            rows = zip(*(tick[name].tolist() for name in ("environments", "episodes", "flags")), strict=True)
            for environment, episode, flags in rows:
                if not flags:
                    ready[environment] = episode
                    continue
                left[environment] -= 1
                if left[environment]:
                    self._assign(environment)
            for group in members:
                running = [environment for environment in group if left[environment]]
                if running and all(environment in ready for environment in running):
                    self._server.act(*((each, ready.pop(each), self._action) for each in running))
        steps = episodes * ENVIRONMENTS * HORIZON
        return [steps / (time.perf_counter() - wall), steps / (self._cpu_s() - cpu)]

    def _assign(self, environment: int) -> None:
        self._episode += 1
        self._server.assign(environment, self._episode, self._task, start=self._episode, horizon=HORIZON)

    def _cpu_s(self) -> float:
        """Processor time of all threads of the worker so far."""
        threads = Path(f"/proc/{self._worker}/task").glob("*/schedstat")
        return sum(int(each.read_text(encoding="ascii").split()[0]) for each in threads) / 1e9


def main(episodes: int) -> None:
    """Prints one line a task: medians over alternating rounds."""
    print(f"{ENVIRONMENTS} environments, {ROUNDS} rounds of {episodes} episodes of {HORIZON} steps each")  # noqa: T201
    for task in TASKS:
        simulators = [make_simulator(task) for _ in range(ENVIRONMENTS)]
        rates: dict[str, list[list[float]]] = {"bare": [], "1 group": [], "2 groups": []}
        with FakeServer() as server, worker_process(server, "--environments", str(ENVIRONMENTS)) as process:
            server.welcome(liveness_ms=3_600_000)
            wire = ThroughWire(server, process.pid, task)
            wire.run(1, 1)
            for _ in range(ROUNDS):
                rates["bare"].append(bare(simulators, episodes))
                rates["1 group"].append(wire.run(episodes, 1))
                rates["2 groups"].append(wire.run(episodes, 2))
        medians: dict[str, Float64Array] = {name: np.median(values, axis=0) for name, values in rates.items()}
        base = medians.pop("bare")
        line = f"{task:22} bare {base[1]:6.0f}/s cpu {base[0]:6.0f}/s wall"
        for name, (wall, cpu) in medians.items():
            line += f" | {name} {cpu:6.0f}/s cpu = {cpu / base[1]:.2f}"
            line += f", {wall:6.0f}/s wall = {wall / base[0]:.2f}"
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
