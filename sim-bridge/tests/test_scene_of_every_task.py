"""What is drawn of every task there is, at every picture: places by frames, all else by the scene alone."""

import json
from collections.abc import Iterator
from typing import Any

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from playing import Start
from sim_bridge.registry import TASK_IDS, make_simulator
from sim_bridge.scene import ScenePoses, export_scene, has_terrain
from sim_bridge.scene_frames import SceneFrames
from sim_bridge.simulator import Simulator

_quaternion_to_matrix: Any = vars(mujoco)["mju_quat2Mat"]

# numpy 2.3 still has what dm_control 1.0.28 calls in the quadruped.
pytestmark = pytest.mark.filterwarnings("ignore:.in1d. is deprecated:DeprecationWarning")

STARTS = [Start(index=0), Start(index=7), Start(index=13)]
STEPS = 12
PIXEL = 0.5
"""No origin may be further off than this in a picture of 480 pixels."""
FOCAL = 240 / np.tan(np.radians(45) / 2)
DRAWN_PREFIXES = ("geom_", "site_", "mat_", "light_", "cam_", "hfield_", "mesh_", "skin_", "tendon_", "tex_")
PLACES = {"geom_pos", "geom_quat", "site_pos", "site_quat", "light_pos", "light_dir", "cam_pos", "cam_quat"}
"""Where frames are is told with every picture."""
TERRAIN_TASKS = {"dmcontrol/quadruped-escape"}


def drawn_arrays(model: Any) -> dict[str, bytes]:
    """Everything that a picture depends on besides places."""
    return {
        name: getattr(model, name).tobytes()
        for name in dir(model)
        if name.startswith(DRAWN_PREFIXES)
        and name not in PLACES
        and isinstance(getattr(model, name), np.ndarray)
    }


def pictures(simulator: Simulator, start: Start) -> Iterator[None]:
    """The start and some steps after it; the expert acts where there is one, so that things are touched."""
    observation = simulator.start(start.protocol, start.seed, start.index)
    generator = np.random.default_rng(start.index)
    yield
    for _ in range(STEPS):
        if simulator.spec.has_expert:
            action = np.clip(simulator.expert_action(observation), -1, 1).astype(np.float32)
        else:
            action = generator.uniform(-1, 1, simulator.spec.action_size).astype(np.float32)
        observation = simulator.step(action).observation
        yield


class Placed:
    """Drawables of one kind as a viewer places them: pose of the frame times their own pose within it."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.ids = [record["id"] for record in records]
        self._frames = np.array([record["frame"] for record in records], dtype=np.intp)
        self._positions = np.array([record["position"] for record in records]).reshape(-1, 3)
        self._rotations = matrices(np.array([record["quaternion"] for record in records]))

    def world(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions [n, 3] and rotations [n, 3, 3]."""
        frames = np.vstack([[0, 0, 0, 1, 0, 0, 0], rows]).astype(np.float64)[self._frames]
        turns = matrices(frames[:, 3:])
        moved = frames[:, :3] + np.einsum("nij,nj->ni", turns, self._positions)
        return moved, turns @ self._rotations


def matrices(quaternions: NDArray[Any]) -> NDArray[np.float64]:
    flat = np.zeros((len(quaternions), 9))
    for row, quaternion in zip(flat, quaternions, strict=True):
        _quaternion_to_matrix(row, np.asarray(quaternion, dtype=np.float64))
    return flat.reshape(-1, 3, 3)


def pixels_off(ours: NDArray[np.float64], theirs: NDArray[np.float64], distance: float) -> float:
    """Largest distance in a picture taken from so far away; what is behind or beside it counts alike."""
    return float(np.linalg.norm(ours - theirs, axis=1).max(initial=0.0) * FOCAL / distance)


@pytest.mark.parametrize("task", TASK_IDS)
def test_every_drawable_of_every_start_is_where_the_simulator_has_it(task: str) -> None:
    simulator = make_simulator(task)
    # As a worker does it for all starts of a task.
    simulator.start("l2m-paper", 0, 0)
    manifest = json.loads(export_scene(simulator.model).manifest_json)
    arrays, frames = drawn_arrays(simulator.model), SceneFrames.of(simulator.model)
    geoms, sites = Placed(manifest["geoms"]), Placed(manifest["sites"])
    # From a fifth of the scene's size even one that is looked at closely is right to half a pixel.
    distance = 0.2 * manifest["view"]["extent"]
    for start in STARTS:
        changed: list[set[str]] = []
        for picture, _ in enumerate(pictures(simulator, start)):
            model, data = simulator.model, simulator.data
            assert SceneFrames.of(model) == frames, "which things are drawn differs between starts"
            if picture in (0, STEPS):
                now = drawn_arrays(model)
                changed.append({name for name in now if now[name] != arrays[name]})
                arrays = now
            rows = ScenePoses(model).rows(data)
            assert len(rows) == len(manifest["frames"]) - 1
            for placed, positions, rotations in (
                (geoms, data.geom_xpos, data.geom_xmat),
                (sites, data.site_xpos, data.site_xmat),
            ):
                ours, turns = placed.world(rows)
                assert pixels_off(ours, positions[placed.ids], distance) < PIXEL
                np.testing.assert_allclose(turns, rotations[placed.ids].reshape(-1, 3, 3), atol=1e-5)
        assert changed[0] <= ({"hfield_data"} if task in TERRAIN_TASKS else set()), (
            "a start is drawn otherwise"
        )
        assert changed[1] == set(), "what is drawn changes within an episode"


@pytest.mark.parametrize("task", TASK_IDS)
def test_only_terrain_makes_geometry_belong_to_a_start(task: str) -> None:
    simulator = make_simulator(task)
    assert has_terrain(simulator.model) == (task in TERRAIN_TASKS)
