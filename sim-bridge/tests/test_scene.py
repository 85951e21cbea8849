"""The exported scene plus its pose rows must give every drawable the place the simulator itself gives it."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import metaworld
import mujoco
import numpy as np
import pytest
from dm_control import suite

from sim_bridge.dmcontrol_simulator import make_headless
from sim_bridge.scene import SceneExport, ScenePoses, export_scene, scene_hash
from sim_bridge.scene_frames import quaternions_from_directions

if TYPE_CHECKING:
    from numpy.typing import NDArray

_quaternion_to_matrix: Any = vars(mujoco)["mju_quat2Mat"]
_model_type: Any = vars(mujoco)["MjModel"]

# numpy 2.3 still has what dm_control 1.0.28 calls in the quadruped.
pytestmark = pytest.mark.filterwarnings("ignore:.in1d. is deprecated:DeprecationWarning")

METAWORLD_TASKS = ["reach-v3", "door-open-v3", "drawer-close-v3", "basketball-v3", "hammer-v3"]
DMCONTROL_TASKS = [
    ("walker", "walk"),
    ("cheetah", "run"),
    ("reacher", "easy"),
    ("swimmer", "swimmer6"),
    ("fish", "swim"),
    ("finger", "turn_hard"),
    ("quadruped", "run"),
    ("manipulator", "bring_ball"),
    ("dog", "stand"),
    ("humanoid", "run"),
    ("ball_in_cup", "catch"),
    ("point_mass", "easy"),
]


class MetaworldScene:
    """A real Meta-World environment, seen as model, data, reset and step."""

    def __init__(self, name: str) -> None:
        benchmark = metaworld.MT1(name, seed=1)
        self._tasks = benchmark.train_tasks
        self._environment: Any = benchmark.train_classes[name]()
        self.reset(0)

    def reset(self, start: int) -> None:
        self._environment.set_task(self._tasks[start])
        self._environment.reset()

    def step(self, generator: np.random.Generator) -> None:
        self._environment.step(generator.uniform(-1, 1, 4))

    @property
    def model(self) -> Any:
        return self._environment.model

    @property
    def data(self) -> Any:
        return self._environment.data


class DmcontrolScene:
    """A real dm_control environment, seen the same way."""

    def __init__(self, domain: str, task: str) -> None:
        self._environment: Any = suite.load(domain, task, task_kwargs={"random": 3})
        make_headless(self._environment.physics)
        self.reset(0)

    def reset(self, start: int) -> None:
        del start  # each reset draws the next start from the seeded generator
        self._environment.reset()

    def step(self, generator: np.random.Generator) -> None:
        spec = self._environment.action_spec()
        self._environment.step(generator.uniform(spec.minimum, spec.maximum))

    @property
    def model(self) -> Any:
        return self._environment.physics.model.ptr

    @property
    def data(self) -> Any:
        return self._environment.physics.data.ptr


def _scene(task: str) -> MetaworldScene | DmcontrolScene:
    domain, _, name = task.partition("/")
    return MetaworldScene(domain) if name == "" else DmcontrolScene(domain, name)


ALL_SCENES = METAWORLD_TASKS + ["/".join(pair) for pair in DMCONTROL_TASKS]


def _matrix(quaternion: Any) -> NDArray[np.float64]:
    flat = np.zeros(9)
    _quaternion_to_matrix(flat, np.asarray(quaternion, dtype=np.float64))
    return flat.reshape(3, 3)


def _world_pose(
    record: dict[str, Any], rows: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    position, rotation = np.asarray(record["position"]), _matrix(record["quaternion"])
    if record["frame"] == 0:
        return position, rotation
    row = rows[record["frame"] - 1].astype(np.float64)
    frame_rotation = _matrix(row[3:])
    return row[:3] + frame_rotation @ position, frame_rotation @ rotation


def _array(export: SceneExport, address: dict[str, Any]) -> NDArray[Any]:
    count = int(np.prod(address["shape"]))
    flat = np.frombuffer(export.assets, dtype=address["type"], count=count, offset=address["offset"])
    return flat.reshape(address["shape"])


@pytest.mark.parametrize("task", ALL_SCENES)
def test_poses_of_every_drawable_match_the_simulator(task: str) -> None:
    scene = _scene(task)
    export = export_scene(scene.model)
    manifest = json.loads(export.manifest_json)
    poses = ScenePoses(scene.model)
    generator = np.random.default_rng(7)
    assert len(manifest["frames"]) == poses.count + 1
    for start in range(2):
        scene.reset(start)
        for _ in range(4):
            scene.step(generator)
        rows = poses.rows(scene.data)
        assert rows.shape == (poses.count, 7)
        for kind, positions, matrices in (
            ("geoms", scene.data.geom_xpos, scene.data.geom_xmat),
            ("sites", scene.data.site_xpos, scene.data.site_xmat),
        ):
            for record in manifest[kind]:
                position, rotation = _world_pose(record, rows)
                expected = positions[record["id"]]
                np.testing.assert_allclose(position, expected, atol=1e-5, err_msg=record["name"])
                np.testing.assert_allclose(rotation, matrices[record["id"]].reshape(3, 3), atol=1e-5)
        for camera, record in enumerate(manifest["cameras"]):
            position, rotation = _world_pose(record, rows)
            np.testing.assert_allclose(position, scene.data.cam_xpos[camera], atol=1e-5)
            np.testing.assert_allclose(rotation, scene.data.cam_xmat[camera].reshape(3, 3), atol=1e-5)
        for light, record in enumerate(manifest["lights"]):
            position, rotation = _world_pose(record, rows)
            np.testing.assert_allclose(position, scene.data.light_xpos[light], atol=1e-5)
            np.testing.assert_allclose(rotation @ [0, 0, -1], scene.data.light_xdir[light], atol=1e-5)


@pytest.mark.parametrize("task", ALL_SCENES)
def test_the_hash_names_the_content_and_not_the_start(task: str) -> None:
    scene = _scene(task)
    first = export_scene(scene.model)
    scene.reset(5)
    assert export_scene(scene.model) == first
    assert first.hash == scene_hash(first.manifest_json, first.assets)
    assert first.hash != scene_hash(first.manifest_json + b" ", first.assets)


@pytest.mark.parametrize("task", ["reach-v3", "walker/walk", "dog/stand"])
def test_every_array_lies_inside_the_assets(task: str) -> None:
    export = export_scene(_scene(task).model)
    manifest = json.loads(export.manifest_json)
    for mesh in manifest["meshes"]:
        positions, normals = _array(export, mesh["positions"]), _array(export, mesh["normals"])
        indices = _array(export, mesh["indices"])
        assert positions.shape == normals.shape
        assert indices.max() < len(positions)
        lengths = np.linalg.norm(normals.astype(np.float64) / 32767, axis=1)
        assert np.all((lengths > 0.99) | (lengths == 0.0))
    for texture in manifest["textures"]:
        pixels = _array(export, texture["pixels"])
        assert pixels.dtype == np.uint8
        assert "runs" in texture or texture["kind"] != "skybox"
        if "runs" in texture:
            runs = _array(export, texture["runs"])
            assert len(runs) == len(pixels)
            assert runs.sum(dtype=np.int64) == np.prod(texture["shape"][:3])
            continue
        assert pixels.shape[0] in (1, 6)
        assert max(pixels.shape[1:3]) <= 256


def test_meshes_keep_the_area_and_the_outward_side() -> None:
    scene = MetaworldScene("reach-v3")
    export = export_scene(scene.model)
    for mesh in json.loads(export.manifest_json)["meshes"]:
        positions = _array(export, mesh["positions"]).astype(np.float64)
        normals = _array(export, mesh["normals"]).astype(np.float64) / 32767
        triangles = _array(export, mesh["indices"]).astype(np.int64)
        a, b, c = (positions[triangles[:, k]] for k in range(3))
        face_normals = np.cross(b - a, c - a)
        areas = np.linalg.norm(face_normals, axis=1)
        agreement = np.einsum("ij,ij->i", face_normals, normals[triangles[:, 0]])
        assert np.all(agreement >= 0.79 * areas - 1e-9), mesh["name"]


def test_colours_follow_mujocos_precedence() -> None:
    model = _model_type.from_xml_string(
        """<mujoco><asset><material name="m" rgba=".1 .2 .3 1"/></asset><worldbody>
        <geom name="own" size="1" material="m" rgba="1 0 0 1"/>
        <geom name="material" size="1" material="m"/>
        <geom name="plain" size="1"/>
        <geom name="hidden" size="1" rgba="1 0 0 0"/>
        <geom name="other group" size="1" group="3"/>
        <geom name="no group" size="1" group="6"/>
        </worldbody></mujoco>"""
    )
    geoms = {geom["name"]: geom for geom in json.loads(export_scene(model).manifest_json)["geoms"]}
    assert geoms["own"]["rgba"] == [1.0, 0.0, 0.0, 1.0]
    assert geoms["material"]["rgba"] == [0.1, 0.2, 0.3, 1.0]
    assert geoms["plain"]["rgba"] == [0.5, 0.5, 0.5, 1.0]
    assert "hidden" not in geoms
    # Viewers hide it until somebody asks for its group; a seventh group does not exist for them.
    assert geoms["other group"]["group"] == 3
    assert "no group" not in geoms


def test_the_sawyer_scene_stays_small_enough_to_send() -> None:
    export = export_scene(MetaworldScene("reach-v3").model)
    # Measured: manifest 15 kB, assets 2.4 MB, 1.5 MB after gzip.
    assert len(export.manifest_json) < 32 * 1024
    assert len(export.assets) < 3 * 1024 * 1024
    assert len(gzip.compress(export.assets, 6)) < 2 * 1024 * 1024


def test_directions_become_turns_of_the_downward_axis() -> None:
    directions = np.array([[0, 0, -1], [0, 0, 1], [1, 0, 0], [0, -1, 0], [0.6, 0.0, -0.8]], dtype=np.float64)
    for quaternion, direction in zip(quaternions_from_directions(directions), directions, strict=True):
        np.testing.assert_allclose(_matrix(quaternion) @ [0, 0, -1], direction, atol=1e-12)


@pytest.mark.parametrize(
    ("task", "name", "largest"),
    [
        ("walker/walk", "skybox", 2_500_000),
        ("walker/walk", "grid", 2_500_000),
        ("manipulator/bring_ball", "background", 2_900_000),
    ],
)
def test_drawings_and_skies_are_the_models_own_pixel_for_pixel(task: str, name: str, largest: int) -> None:
    model = _scene(task).model
    export = export_scene(model)
    (texture,) = (each for each in json.loads(export.manifest_json)["textures"] if each["name"] == name)
    pixels = np.repeat(_array(export, texture["pixels"]), _array(export, texture["runs"]), axis=0)
    first = int(model.tex_adr[model.texture(name).id])
    assert np.array_equal(pixels.ravel(), model.tex_data[first : first + pixels.size])
    assert len(export.assets) < largest


def test_a_tendon_goes_through_the_points_the_simulator_gives_it() -> None:
    scene = _scene("ball_in_cup/catch")
    manifest = json.loads(export_scene(scene.model).manifest_json)
    (tendon,) = manifest["tendons"]
    rows = ScenePoses(scene.model).rows(scene.data)
    assert len(rows) == len(manifest["frames"]) - 1
    points = rows[tendon["first"] - 1 : tendon["first"] - 1 + tendon["count"], :3]
    assert np.allclose(points, scene.data.wrap_xpos.reshape(-1, 3)[:2], atol=1e-6)
    assert tendon["hangingLength"] == pytest.approx(float(scene.model.tendon_range[0][1]))
    assert rows[tendon["first"] - 1, 3:].tolist() == [1, 0, 0, 0]


def test_a_ray_goes_from_its_sensor_to_what_it_measures() -> None:
    scene = _scene("quadruped/escape")
    scene.step(np.random.default_rng(2))
    rays = json.loads(export_scene(scene.model).manifest_json)["rays"]
    rows = ScenePoses(scene.model).rows(scene.data)[rays["first"] - 1 :]
    starts, ends = rows[0::2, :3], rows[1::2, :3]
    sensors = [s for s in range(scene.model.nsensor) if scene.model.sensor(s).name.startswith("rf_")]
    measured = scene.data.sensordata[[int(scene.model.sensor_adr[s]) for s in sensors]]
    assert rays["count"] == len(starts) == len(ends) == len(sensors) > 0
    assert np.any(measured > 0)
    assert np.allclose(np.linalg.norm(ends - starts, axis=1), np.maximum(measured, 0.0), atol=1e-4)


def test_the_weights_of_a_skin_add_up_and_name_bodies() -> None:
    scene = _scene("dog/stand")
    export = export_scene(scene.model)
    (skin,) = json.loads(export.manifest_json)["skins"]
    weights, bones = _array(export, skin["weights"]), _array(export, skin["bones"])
    assert np.allclose(weights.sum(axis=1), 1.0, atol=1e-5)
    assert bones.max() < len(skin["bodies"])
    assert _array(export, skin["indices"]).max() < len(weights)
