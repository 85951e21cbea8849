"""Rates of bare simulators on request, for a benchmark in another language that takes turns with them.

python sim-bridge/bench/bare.py TASK ENVIRONMENTS EPISODES HORIZON

Each line on standard input runs every environment through so many episodes and prints
`{"steps": ..., "seconds": ...}`.
"""

import json
import sys
import time

import numpy as np

from sim_bridge.registry import make_simulator


def main(task: str, environments: int, episodes: int, horizon: int) -> None:
    """Starts are part of the work, as they are of a worker's."""
    simulators = [make_simulator(task) for _ in range(environments)]
    action = np.zeros(simulators[0].spec.action_size, dtype=np.float32)
    print("ready", flush=True)  # noqa: T201
    for _ in sys.stdin:
        began = time.perf_counter()
        for episode in range(episodes):
            for index, simulator in enumerate(simulators):
                simulator.start("l2m-paper", 7, episode * environments + index)
            for _ in range(horizon):
                for simulator in simulators:
                    simulator.step(action)
        seconds = time.perf_counter() - began
        print(json.dumps({"steps": episodes * environments * horizon, "seconds": seconds}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], *(int(text) for text in sys.argv[2:5]))
