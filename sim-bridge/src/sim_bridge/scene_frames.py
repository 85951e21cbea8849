"""What moves in a scene: the bodies, and everything whose place a task rewrites at reset or while running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import mujoco
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANE: Final = 0
HEIGHT_FIELD: Final = 1
MESH: Final = 7
VISIBLE_GROUPS: Final = 3
"""Groups 0, 1 and 2 are drawn, as by MuJoCo itself; collision shapes live in higher ones."""

GROUPS: Final = 6
DEFAULT_RGBA: Final = (0.5, 0.5, 0.5, 1.0)
FIXED_MODE: Final = 0
JOINT_WRAP: Final = 1
PULLEY_WRAP: Final = 2
SITE_WRAP: Final = 3
RANGEFINDER: Final = int(vars(mujoco)["mjtSensor"].mjSENS_RANGEFINDER)

Model: TypeAlias = Any
Data: TypeAlias = Any
_matrix_to_quaternion: Any = vars(mujoco)["mju_mat2Quat"]


@dataclass(frozen=True, slots=True)
class SceneFrames:
    """Which sites, geoms, lights and cameras get a frame of their own, in the order of the pose rows."""

    body_count: int
    geoms: list[int]
    sites: list[int]
    lights: list[int]
    cameras: list[int]
    tendons: list[int]
    """Each has as many frames, one per point of its path, as `tendon_points` says."""

    rays: list[int]
    """Rangefinders, which are sensors: two frames each, where a ray begins and ends; they come last."""

    @classmethod
    def of(cls, model: Model) -> SceneFrames:
        """Chooses them for `model`; depends on nothing that changes at a reset."""
        geoms = [
            g
            for g in range(model.ngeom)
            if model.geom_bodyid[g] == 0
            and model.geom_type[g] not in (PLANE, HEIGHT_FIELD, MESH)
            and is_visible(model.geom_group[g], geom_rgba(model, g))
        ]
        sites = [s for s in range(model.nsite) if is_visible(model.site_group[s], site_rgba(model, s))]
        lights = [
            i for i in range(model.nlight) if model.light_mode[i] != FIXED_MODE or model.light_bodyid[i] == 0
        ]
        cameras = [c for c in range(model.ncam) if model.cam_mode[c] != FIXED_MODE]
        tendons = [
            t
            for t in range(model.ntendon)
            if is_visible(model.tendon_group[t], tendon_rgba(model, t)) and tendon_points(model, t) > 1
        ]
        rays = [s for s in range(model.nsensor) if model.sensor_type[s] == RANGEFINDER]
        return cls(int(model.nbody), geoms, sites, lights, cameras, tendons, rays)

    def index(self, kind: str, item: int) -> int | None:
        """Frame of a site, geom, light or camera; None where it hangs rigidly on its body."""
        first = self.body_count
        for name, items in (
            ("geom", self.geoms),
            ("site", self.sites),
            ("light", self.lights),
            ("camera", self.cameras),
        ):
            if name == kind:
                return first + items.index(item) if item in items else None
            first += len(items)
        raise ValueError(f"no frames of kind {kind}")


class ScenePoses:
    """Reads the pose rows of a scene out of the simulation; one object per model."""

    def __init__(self, model: Model) -> None:
        """Fixes which rows there are; `model` must be the one `export_scene` was given, or a copy of it."""
        frames = SceneFrames.of(model)
        self._body_count = frames.body_count
        self._geoms = np.array(frames.geoms, dtype=np.intp)
        self._sites = np.array(frames.sites, dtype=np.intp)
        self._lights = np.array(frames.lights, dtype=np.intp)
        self._cameras = np.array(frames.cameras, dtype=np.intp)
        extras = len(frames.geoms) + len(frames.sites) + len(frames.lights) + len(frames.cameras)
        self._tendons = [(tendon, tendon_points(model, tendon)) for tendon in frames.tendons]
        extras += sum(count for _, count in self._tendons) + 2 * len(frames.rays)
        self._ray_sites = np.array([model.sensor_objid[s] for s in frames.rays], dtype=np.intp)
        self._ray_lengths = np.array([model.sensor_adr[s] for s in frames.rays], dtype=np.intp)
        self.count = self._body_count - 1 + extras

    def rows(self, data: Data) -> NDArray[np.float32]:
        """World poses of frames 1.. of the scene.

        Args:
            data: the simulation, after `mj_forward` or a step.

        Returns:
            float32 [count, 7]: position in metres, quaternion (w, x, y, z). A new array.
        """
        rows = np.empty((self.count, 7), dtype=np.float32)
        first = self._body_count - 1
        rows[:first, :3] = data.xpos[1:]
        rows[:first, 3:] = data.xquat[1:]
        for items, positions, matrices in (
            (self._geoms, data.geom_xpos, data.geom_xmat),
            (self._sites, data.site_xpos, data.site_xmat),
        ):
            end = first + len(items)
            rows[first:end, :3] = positions[items]
            rows[first:end, 3:] = quaternions_from_matrices(matrices[items])
            first = end
        end = first + len(self._lights)
        rows[first:end, :3] = data.light_xpos[self._lights]
        rows[first:end, 3:] = quaternions_from_directions(data.light_xdir[self._lights])
        first, end = end, end + len(self._cameras)
        rows[first:end, :3] = data.cam_xpos[self._cameras]
        rows[first:end, 3:] = quaternions_from_matrices(data.cam_xmat[self._cameras])
        rows[end:, 3:] = (1.0, 0.0, 0.0, 0.0)
        path = data.wrap_xpos.reshape(-1, 3)
        for tendon, count in self._tendons:
            begin, length = int(data.ten_wrapadr[tendon]), int(data.ten_wrapnum[tendon])
            # A path that does not touch what it could wrap around has fewer points: its end is repeated.
            rows[end : end + count, :3] = path[begin + np.minimum(np.arange(count), max(length - 1, 0))]
            end += count
        if len(self._ray_sites) > 0:
            # A ray that meets nothing measures -1: it ends where it begins, and is not seen.
            lengths = np.maximum(data.sensordata[self._ray_lengths], 0.0)
            starts = data.site_xpos[self._ray_sites]
            rows[end::2, :3] = starts
            rows[end + 1 :: 2, :3] = starts + data.site_xmat[self._ray_sites][:, 2::3] * lengths[:, None]
        return rows


def tendon_points(model: Model, tendon: int) -> int:
    """Most points the path of a tendon can have; 0 for those that are no one line through space."""
    first = int(model.tendon_adr[tendon])
    kinds = [int(kind) for kind in model.wrap_type[first : first + int(model.tendon_num[tendon])]]
    if any(kind in (JOINT_WRAP, PULLEY_WRAP) for kind in kinds):
        return 0
    return sum(1 if kind == SITE_WRAP else 2 for kind in kinds)


def quaternions_from_matrices(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit quaternions (w, x, y, z) [n, 4] of row-major rotation matrices [n, 9]."""
    quaternions = np.empty((len(matrices), 4), dtype=np.float64)
    for row, matrix in zip(quaternions, matrices, strict=True):
        _matrix_to_quaternion(row, matrix)
    return quaternions


def quaternions_from_directions(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quaternions (w, x, y, z) [n, 4] of the shortest turn from (0, 0, -1) to each unit vector [n, 3]."""
    x, y, z = directions[:, 0], directions[:, 1], directions[:, 2]
    quaternions = np.stack([1.0 - z, y, -x, np.zeros_like(x)], axis=1)
    straight_up = quaternions[:, 0] < 1e-9
    quaternions[straight_up] = (0.0, 1.0, 0.0, 0.0)
    return quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)


def is_visible(group: int, rgba: tuple[float, ...]) -> bool:
    """Whether a geom or site of this group and colour is drawn unless a viewer asks for other groups."""
    return int(group) < VISIBLE_GROUPS and rgba[3] > 0.0


def is_drawable(group: int, rgba: tuple[float, ...]) -> bool:
    """Whether it is drawn by a viewer that asks for all groups there are."""
    return int(group) < GROUPS and rgba[3] > 0.0


def geom_rgba(model: Model, geom: int) -> tuple[float, ...]:
    """Colour of a geom after MuJoCo's precedence rule."""
    return _resolved_rgba(model, int(model.geom_matid[geom]), model.geom_rgba[geom])


def site_rgba(model: Model, site: int) -> tuple[float, ...]:
    """Colour of a site after MuJoCo's precedence rule."""
    return _resolved_rgba(model, int(model.site_matid[site]), model.site_rgba[site])


def skin_rgba(model: Model, skin: int) -> tuple[float, ...]:
    """Colour of a skin after MuJoCo's precedence rule."""
    return _resolved_rgba(model, int(model.skin_matid[skin]), model.skin_rgba[skin])


def tendon_rgba(model: Model, tendon: int) -> tuple[float, ...]:
    """Colour of a tendon after MuJoCo's precedence rule."""
    return _resolved_rgba(model, int(model.tendon_matid[tendon]), model.tendon_rgba[tendon])


def _resolved_rgba(model: Model, material: int, own: NDArray[np.float32]) -> tuple[float, ...]:
    """MuJoCo's rule: an own colour that is not the default one wins over the material's."""
    own_rgba = tuple(float(v) for v in own)
    if material < 0 or own_rgba != DEFAULT_RGBA:
        return own_rgba
    return tuple(float(v) for v in model.mat_rgba[material])
