"""A person's share in a step: pulled bodies and actions mixed into an expert's."""

from typing import Any

import mujoco as untyped_mujoco
import numpy as np
import pytest

from sim_bridge.body_puller import BodyPuller, Pull
from sim_bridge.episode import Assignment, Episode, Row
from sim_bridge.expert import ExpertChoice
from sim_bridge.pose_sampler import PoseSampler, Watch
from sim_bridge.registry import make_simulator
from sim_bridge.share import Share, shares_of

mujoco: Any = untyped_mujoco

REACH = "metaworld/reach-v3"
WALKER = "dmcontrol/walker-walk"


class Block:
    """A free block of 2 kg without gravity, as far as a puller looks at a simulator."""

    def __init__(self) -> None:
        self.model = mujoco.MjModel.from_xml_string(
            "<mujoco><option gravity='0 0 0'/><worldbody><body><freejoint/>"
            "<geom type='box' size='.1 .1 .1' mass='2'/></body></worldbody></mujoco>"
        )
        self.data = mujoco.MjData(self.model)
        mujoco.mj_forward(self.model, self.data)


def play(task: str, steps: int, share_at: dict[int, Share], expert: ExpertChoice | None = None) -> list[Row]:
    simulator = make_simulator(task)
    assignment = Assignment(0, 1, task, "l2m-paper", 7, 0, 200, expert)
    episode = Episode(assignment, simulator, PoseSampler(Watch()))
    rows = [episode.start()]
    action = np.full(simulator.spec.action_size, 0.1, dtype=np.float32)
    rows += [episode.step(action, share_at.get(step)) for step in range(steps)]
    assert not simulator.data.xfrc_applied.any(), "a force outlasted its step"
    return rows


def observations(rows: list[Row]) -> list[bytes]:
    return [row.observation.tobytes() for row in rows]


def test_the_force_is_the_viewers_damped_spring_on_the_mass_at_the_point() -> None:
    block = Block()
    block.data.qvel[0] = 0.25
    mujoco.mj_forward(block.model, block.data)
    with BodyPuller(block).pulling(Pull(1, (0.0, 0.0, 0.0), (0.5, 0.0, -1.0))):  # type: ignore[arg-type]
        force = block.data.xfrc_applied[1].copy()
    mass, stiffness = 2.0, float(block.model.vis.map.stiffness)
    # f = -k m x - sqrt(k) m v: half of what critical damping would be, as in the viewer.
    assert force[2] == pytest.approx(-stiffness * mass)
    assert force[0] == pytest.approx(stiffness * mass * 0.5 - np.sqrt(stiffness) * mass * 0.25)
    assert not block.data.xfrc_applied.any()


def test_a_pulled_body_comes_to_its_target() -> None:
    block = Block()
    puller = BodyPuller(block)  # type: ignore[arg-type]
    for _ in range(2000):
        with puller.pulling(Pull(1, (0.0, 0.0, 0.0), (0.5, 0.2, 0.1))):
            mujoco.mj_step(block.model, block.data)
    assert block.data.xpos[1] == pytest.approx([0.5, 0.2, 0.1], abs=0.001)


@pytest.mark.parametrize(("task", "name"), [(REACH, "hand"), (WALKER, "torso")])
def test_pulls_decide_an_episode_as_actions_do(task: str, name: str) -> None:
    body = int(make_simulator(task).model.body(name).id)
    share = Share(0.0, Pull(body, (0.0, 0.0, 0.0), (0.4, 0.3, 1.0)))
    pulled = dict.fromkeys((*range(3, 9), *range(12, 15)), share)
    alone = observations(play(task, 20, {}))
    first = observations(play(task, 20, pulled))
    assert first == observations(play(task, 20, pulled))
    assert first[:4] == alone[:4]
    assert first[4] != alone[4]


@pytest.mark.parametrize("task", [REACH, WALKER])
def test_a_share_of_nothing_changes_nothing(task: str) -> None:
    nothing = dict.fromkeys(range(20), Share(0.0, None))
    assert observations(play(task, 20, nothing)) == observations(play(task, 20, {}))


def test_a_body_that_the_model_does_not_have_is_not_pulled() -> None:
    nowhere = dict.fromkeys(range(20), Share(0.0, Pull(60_000, (0, 0, 0), (1, 1, 1))))
    assert observations(play(REACH, 20, nowhere)) == observations(play(REACH, 20, {}))


def test_an_action_is_mixed_into_the_experts_by_its_weight() -> None:
    expert = ExpertChoice(0.0, 1)
    [_, alone] = play(REACH, 1, {}, expert)
    [_, mixed] = play(REACH, 1, {0: Share(0.25, None)}, expert)
    [_, taken] = play(REACH, 1, {0: Share(1.0, None)}, expert)
    action = np.full(4, 0.1, dtype=np.float32)
    assert taken.executed == pytest.approx(action)
    assert mixed.executed == pytest.approx(0.25 * action + 0.75 * alone.executed)
    assert mixed.target is not None
    assert mixed.target == pytest.approx(alone.target)


def test_shares_are_read_from_a_message_row_by_row() -> None:
    act = {"environments": np.array([3, 4], dtype=np.uint16)}
    assert next(shares_of(act)) is None
    pulls = np.zeros((2, 7), dtype=np.float32)
    pulls[1] = (2, 0, 0.25, -0.5, 1, 2, 3.5)
    weights = np.array([0.25, 0.0], dtype=np.float32)
    shares = list(shares_of({**act, "weights": weights, "pulls": pulls}))
    assert shares == [Share(0.25, None), Share(0.0, Pull(2, (0.0, 0.25, -0.5), (1.0, 2.0, 3.5)))]
    broken = np.full((2, 7), np.nan, dtype=np.float32)
    assert list(shares_of({**act, "weights": weights * np.nan, "pulls": broken})) == [None, None]
