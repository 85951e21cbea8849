from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim_bridge.episode import Assignment, Episode
from sim_bridge.errors import SimulatorError
from sim_bridge.expert import ExpertActor, ExpertChoice
from sim_bridge.mujoco_api import forward
from sim_bridge.pose_sampler import PoseSampler, Watch
from sim_bridge.registry import make_simulator
from sim_bridge.simulator import Simulator
from sim_bridge.wire import STEP_FLAGS

ASSIGNMENT = Assignment(
    environment=3,
    episode=9,
    task="dmcontrol/lqr-lqr_2_1",
    protocol="l2m-paper",
    seed=1,
    start=2,
    horizon=4,
    expert=None,
)
NOTHING = np.zeros(4, dtype=np.float32)


@pytest.fixture(scope="module")
def lqr() -> Simulator:
    return make_simulator("dmcontrol/lqr-lqr_2_1")


@pytest.fixture(scope="module")
def reach() -> Simulator:
    return make_simulator("metaworld/reach-v3")


def episode_of(simulator: Simulator, **changes: Any) -> Episode:
    return Episode(replace(ASSIGNMENT, **changes), simulator, PoseSampler(Watch()))


def test_horizon_truncates(lqr: Simulator) -> None:
    episode = episode_of(lqr)
    episode.start()
    flags: list[int] = []
    while not episode.finished:
        flags.append(episode.step(NOTHING).flags)
    assert flags == [0, 0, 0, STEP_FLAGS["truncated"]]


def test_a_recorded_episode_carries_poses_in_every_row(lqr: Simulator) -> None:
    episode = Episode(ASSIGNMENT, lqr, PoseSampler(Watch(), always=True))
    rows = [episode.start()]
    while not episode.finished:
        rows.append(episode.step(NOTHING))
    assert all(row.poses is not None and row.flags & STEP_FLAGS["poses"] for row in rows)
    assert episode_of(lqr).start().poses is None


def test_an_end_at_the_horizon_is_a_termination(lqr: Simulator) -> None:
    episode = episode_of(lqr, horizon=1)
    episode.start()
    lqr.data.qpos[:] = 0.0
    forward(lqr.model, lqr.data)
    assert episode.step(NOTHING).flags == STEP_FLAGS["terminated"]
    assert episode.finished


def test_success_is_flagged_in_each_step(reach: Simulator) -> None:
    episode = episode_of(reach, horizon=120, expert=ExpertChoice(0.0, 0))
    episode.start()
    successes = [bool(episode.step(NOTHING).flags & STEP_FLAGS["success"]) for _ in range(120)]
    assert not successes[0]
    assert successes[-1]


def test_actions_are_clipped_and_the_rest_of_a_wider_row_is_not_looked_at(lqr: Simulator) -> None:
    episode = episode_of(lqr)
    episode.start()
    assert episode.step(np.array([-7.0, np.nan], np.float32)).executed.tolist() == [-1.0]


def test_horizon_beyond_the_simulators_own_is_refused(reach: Simulator) -> None:
    episode_of(reach, horizon=500)
    with pytest.raises(SimulatorError, match="at most 500 steps, not 501"):
        episode_of(reach, horizon=501)


def test_noise_depends_on_its_seed_alone(reach: Simulator) -> None:
    observation = reach.start("l2m-paper", 0, 0)

    def executed(seed: int) -> list[bytes]:
        actor = ExpertActor(reach, ExpertChoice(0.1, seed))
        return [actor.decide(observation).executed.tobytes() for _ in range(3)]

    first = executed(1)
    assert len(set(first)) == 3
    assert executed(1) == first
    assert executed(2) != first


def test_expert_without_noise_executes_its_target(reach: Simulator) -> None:
    observation = reach.start("l2m-paper", 0, 0)
    decision = ExpertActor(reach, ExpertChoice(0.0, 0)).decide(observation)
    assert decision.executed.tobytes() == decision.target.tobytes()
    assert np.abs(decision.target).max() <= 1.0


def test_noise_has_the_asked_deviation(reach: Simulator) -> None:
    observation = reach.start("l2m-paper", 0, 0)
    raw = reach.expert_action(observation)
    actor = ExpertActor(reach, ExpertChoice(0.02, 0))
    inside = np.abs(raw) < 0.9
    drawn = np.array([actor.decide(observation).executed for _ in range(2000)])[:, inside] - raw[inside]
    assert inside.any()
    assert drawn.std() == pytest.approx(0.02, rel=0.05)
