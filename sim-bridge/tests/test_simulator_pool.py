from sim_bridge.registry import make_simulator
from sim_bridge.simulator import Simulator
from sim_bridge.simulator_pool import SimulatorPool

TASKS = ["dmcontrol/cartpole-balance", "dmcontrol/reacher-easy", "dmcontrol/pendulum-swingup"]


class CountingPool(SimulatorPool):
    def __init__(self, max_idle: int) -> None:
        self.made: list[str] = []

        def make(task: str) -> Simulator:
            self.made.append(task)
            return make_simulator(task)

        super().__init__(max_idle, make)


def test_a_returned_simulator_is_used_again_also_under_its_alias() -> None:
    pool = CountingPool(2)
    first = pool.take("metaworld/reach-v3")
    pool.give_back(first)
    assert pool.take("metaworld/reach-v2") is first
    assert pool.made == ["metaworld/reach-v3"]


def test_two_episodes_of_a_task_never_share_a_simulator() -> None:
    pool = CountingPool(2)
    assert pool.take(TASKS[0]) is not pool.take(TASKS[0])


def test_the_longest_unused_is_dropped() -> None:
    pool = CountingPool(2)
    for simulator in [pool.take(task) for task in TASKS]:
        pool.give_back(simulator)
    assert pool.idle_count == 2
    pool.take(TASKS[1])
    pool.take(TASKS[2])
    assert pool.made == TASKS
    pool.take(TASKS[0])
    assert pool.made == [*TASKS, TASKS[0]]
