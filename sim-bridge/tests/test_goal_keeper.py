"""The variant of the scripted experts that stays at the goal."""

import numpy as np
import pytest

from sim_bridge.episode import Assignment, Episode
from sim_bridge.expert import ExpertChoice
from sim_bridge.goal_keeper import GoalKeeper
from sim_bridge.pose_sampler import PoseSampler, Watch
from sim_bridge.registry import make_simulator
from sim_bridge.simulator import Float64Array
from sim_bridge.wire import STEP_FLAGS

HORIZON = 160
NOTHING = np.zeros(4, dtype=np.float32)


def successes_of(task: str, start: int, *, keeps_goal: bool, noise: float = 0.0) -> list[bool]:
    choice = ExpertChoice(noise, start, keeps_goal)
    assignment = Assignment(0, 1, task, "l2m-paper", 5, start, HORIZON, choice)
    episode = Episode(assignment, make_simulator(task), PoseSampler(Watch()))
    episode.start()
    return [bool(episode.step(NOTHING).flags & STEP_FLAGS["success"]) for _ in range(HORIZON)]


@pytest.mark.parametrize(
    "task",
    ["door-open-v3", "handle-press-v3", "handle-press-side-v3", "plate-slide-back-v3", "coffee-button-v3"],
)
def test_keeps_a_goal_that_the_script_leaves(task: str) -> None:
    scripted = successes_of(f"metaworld/{task}", 0, keeps_goal=False)
    kept = successes_of(f"metaworld/{task}", 0, keeps_goal=True)
    assert any(scripted)
    assert not scripted[-1]
    assert kept[-1]
    assert kept.index(True) == scripted.index(True)


def test_keeps_it_under_noise_too() -> None:
    kept = [
        successes_of("metaworld/door-open-v3", start, keeps_goal=True, noise=0.3)[-1] for start in range(3)
    ]
    assert all(kept)


@pytest.fixture
def observation() -> Float64Array:
    return np.linspace(-0.5, 0.5, 39)


def test_before_success_the_expert_acts(observation: Float64Array) -> None:
    expert = np.array([0.3, -2.0, 0.1, 5.0], dtype=np.float32)
    assert GoalKeeper("door-open-v3").keep(observation, expert, reached=False) is expert


def test_holds_the_place_where_the_goal_was_reached_with_the_gripper_as_it_was(
    observation: Float64Array,
) -> None:
    keeper = GoalKeeper("door-open-v3")
    expert = np.array([0.3, -2.0, 0.1, 5.0], dtype=np.float32)
    keeper.keep(observation, expert, reached=False)
    assert keeper.keep(observation, -expert, reached=True).tolist() == [0.0, 0.0, 0.0, 1.0]
    moved = observation.copy()
    moved[:3] += [0.02, -0.5, 0.0]
    assert keeper.keep(moved, -expert, reached=True) == pytest.approx([-0.2, 1.0, 0.0, 1.0], abs=1e-6)
    assert keeper.keep(moved, expert, reached=False) is expert


def test_guides_the_object_to_the_goal_also_after_it_was_lost(observation: Float64Array) -> None:
    keeper = GoalKeeper("handle-press-v3")
    expert = np.array([0.0, 0.0, -1.0, -1.0], dtype=np.float32)
    keeper.keep(observation, expert, reached=False)
    observation[36:39] = observation[4:7] + np.array([0.0, 0.01, -0.02])
    keeper.keep(observation, expert, reached=True)
    assert keeper.keep(observation, expert, reached=False) == pytest.approx([0.0, 0.1, -0.2, -1.0], abs=1e-6)


def test_leaves_a_script_that_stays_by_itself(observation: Float64Array) -> None:
    expert = np.array([0.3, -2.0, 0.1, 5.0], dtype=np.float32)
    assert GoalKeeper("soccer-v3").keep(observation, expert, reached=True) is expert
