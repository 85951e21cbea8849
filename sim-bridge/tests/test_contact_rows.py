"""Contacts are those that MuJoCo's own viewer would draw."""

from typing import Any

import mujoco
import numpy as np
import pytest

from sim_bridge.contact_rows import CONTACT_COLUMNS, MOST_CONTACTS, NO_FORCE, TWO_WAY, contact_rows
from sim_bridge.mujoco_api import forward
from sim_bridge.pose_sampler import PoseSampler, Watch
from sim_bridge.registry import make_simulator
from sim_bridge.simulator import Simulator

_api: Any = mujoco

pytestmark = pytest.mark.filterwarnings("ignore:.in1d. is deprecated:DeprecationWarning")


def drawn_by_mujoco(model: Any, data: Any) -> tuple[list[Any], list[Any]]:
    """Points and arrows of MuJoCo's abstract visualisation."""
    option, scene = _api.MjvOption(), _api.MjvScene(model, 5000)
    for flag in (_api.mjtVisFlag.mjVIS_CONTACTPOINT, _api.mjtVisFlag.mjVIS_CONTACTFORCE):
        option.flags[flag] = 1
    camera, decor = _api.MjvCamera(), _api.mjtCatBit.mjCAT_DECOR
    _api.mjv_updateScene(model, data, option, None, camera, decor, scene)
    geoms = [scene.geoms[index] for index in range(scene.ngeom)]
    points = [g for g in geoms if g.objtype == _api.mjtObj.mjOBJ_UNKNOWN and g.type == 5]
    return points, [g for g in geoms if g.type in (100, 101, 102)]


def touching(task: str) -> Simulator:
    simulator = make_simulator(task)
    simulator.start("l2m-paper", 3, 7)
    generator = np.random.default_rng(1)
    for _ in range(300):
        simulator.step(generator.uniform(-1, 1, simulator.spec.action_size).astype(np.float32))
        forward(simulator.model, simulator.data)
        if np.any(contact_rows(simulator.model, simulator.data)[:, 6:9]):
            return simulator
    raise AssertionError("nothing presses against anything")


@pytest.mark.parametrize(
    "task",
    ["dmcontrol/walker-walk", "dmcontrol/quadruped-run", "dmcontrol/hopper-stand", "metaworld/push-v3"],
)
def test_rows_are_what_mujoco_would_draw(task: str) -> None:
    simulator = touching(task)
    model, data = simulator.model, simulator.data
    rows = contact_rows(model, data)
    assert rows.shape == (min(data.ncon, MOST_CONTACTS), CONTACT_COLUMNS)
    assert len(rows) > 0
    points, arrows = drawn_by_mujoco(model, data)
    points = points[: len(rows)]
    np.testing.assert_allclose([g.pos for g in points], rows[:, :3], atol=1e-5)
    np.testing.assert_allclose([np.asarray(g.mat)[:, 2] for g in points], rows[:, 3:6], atol=1e-5)
    half_height = model.vis.scale.contactheight * model.stat.meansize
    heights = np.maximum(half_height, -rows[:, 9] / 2)
    np.testing.assert_allclose([g.size[2] for g in points], heights, atol=1e-5)

    scale = model.vis.map.force / model.stat.meanmass
    forces = rows[(rows[:, 10] != NO_FORCE) & (np.linalg.norm(rows[:, 6:9], axis=1) > 1e-9)]
    assert len(forces) > 0
    vectors = np.array([np.asarray(g.mat)[:, 2] * g.size[2] for g in arrows[: len(forces)]])
    two_way = np.array([g.type == _api.mjtGeom.mjGEOM_ARROW2 for g in arrows[: len(forces)]])
    np.testing.assert_array_equal(two_way, forces[:, 10] == TWO_WAY)
    ours = forces[:, 6:9] * scale
    # An arrow that points both ways has no sign.
    signs = np.where(two_way, np.sign(np.sum(vectors * ours, axis=1)), 1.0)
    np.testing.assert_allclose(vectors, ours * signs[:, None], rtol=1e-4, atol=1e-5)


def test_they_are_limited_and_only_there_for_those_who_ask() -> None:
    simulator = touching("dmcontrol/dog-stand")
    watch = Watch(poses_hz=1.0)
    sampler = PoseSampler(watch)
    assert sampler.contacts(simulator) is None
    watch.contacts = True
    rows = sampler.contacts(simulator)
    assert rows is not None
    assert len(rows) == min(simulator.data.ncon, MOST_CONTACTS)
