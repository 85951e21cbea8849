"""Keeps simulators that are not in use, because loading one costs 0.1 to 1 second."""

from collections.abc import Callable

from sim_bridge.registry import canonical_task, make_simulator
from sim_bridge.simulator import Simulator


class SimulatorPool:
    """Simulators by task. Which object plays an episode makes no difference: starts depend on no past."""

    def __init__(self, max_idle: int, make: Callable[[str], Simulator] = make_simulator) -> None:
        """Makes an empty pool.

        Args:
            max_idle: Most simulators kept unused; of more, the one unused for longest is dropped.
            make: Loads a simulator by canonical task id.
        """
        self._max_idle = max_idle
        self._make = make
        self._idle: list[Simulator] = []

    @property
    def idle_count(self) -> int:
        """Simulators kept unused now."""
        return len(self._idle)

    def take(self, task: str) -> Simulator:
        """A simulator of the task for the caller's own use.

        Raises:
            SimulatorError: L2M_TASK_UNKNOWN, with the closest name.
        """
        canonical = canonical_task(task)
        for index in range(len(self._idle) - 1, -1, -1):
            if self._idle[index].spec.task == canonical:
                return self._idle.pop(index)
        return self._make(canonical)

    def give_back(self, simulator: Simulator) -> None:
        """Returns a simulator that works. One that raised something unexpected must be dropped instead."""
        self._idle.append(simulator)
        if len(self._idle) > self._max_idle:
            self._idle.pop(0)
