"""Turns a compiled MuJoCo model into geometry that a viewer draws without MuJoCo.

A scene is sent once and addressed by its content. What moves is a list of *frames*: frame 0 is the world, frames
1..nbody-1 are the bodies, and behind them come things whose place a task rewrites at reset or while running (visible
sites, geoms on the world body, tracking lights and cameras). `ScenePoses.rows` gives the poses of frames 1.. as one
array; every drawable names its frame and its pose within it, so a viewer needs no kinematics at all.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim_bridge.scene_assets import AssetBlob, add_height_field, add_mesh, add_texture

MANIFEST_FORMAT: Final = 1

GEOM_TYPES: Final = {
    0: "plane",
    1: "heightField",
    2: "sphere",
    3: "capsule",
    4: "ellipsoid",
    5: "cylinder",
    6: "box",
    7: "mesh",
}
PLANE: Final = 0
HEIGHT_FIELD: Final = 1
MESH: Final = 7
VISIBLE_GROUPS: Final = 3
DEFAULT_RGBA: Final = (0.5, 0.5, 0.5, 1.0)
TEXTURE_ROLE_RGB: Final = 1
TEXTURE_ROLE_RGBA: Final = 8
FIXED_MODE: Final = 0

Model: TypeAlias = Any
Data: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class SceneExport:
    """Geometry of one compiled model.

    Attributes:
        hash: SHA-256 (hex) over both parts, see `scene_hash`.
        manifest_json: UTF-8 JSON text with short keys spelled out; refers into `assets` by byte offset.
        assets: little-endian arrays, each aligned to 4 bytes.
    """

    hash: str
    manifest_json: bytes
    assets: bytes


def scene_hash(manifest_json: bytes, assets: bytes) -> str:
    """SHA-256 (hex) over the manifest's length (u64, little-endian), the manifest, and the assets."""
    digest = hashlib.sha256(len(manifest_json).to_bytes(8, "little"))
    digest.update(manifest_json)
    digest.update(assets)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Frames:
    """Which sites, geoms, lights and cameras get a frame of their own, in the order of the pose rows."""

    body_count: int
    geoms: list[int]
    sites: list[int]
    lights: list[int]
    cameras: list[int]

    @classmethod
    def of(cls, model: Model) -> _Frames:
        geoms = [
            g
            for g in range(model.ngeom)
            if model.geom_bodyid[g] == 0
            and model.geom_type[g] not in (PLANE, HEIGHT_FIELD, MESH)
            and _visible(model.geom_group[g], _geom_rgba(model, g))
        ]
        sites = [s for s in range(model.nsite) if _visible(model.site_group[s], _site_rgba(model, s))]
        lights = [i for i in range(model.nlight) if model.light_mode[i] != FIXED_MODE or model.light_bodyid[i] == 0]
        cameras = [c for c in range(model.ncam) if model.cam_mode[c] != FIXED_MODE]
        return cls(int(model.nbody), geoms, sites, lights, cameras)

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
        frames = _Frames.of(model)
        self._body_count = frames.body_count
        self._geoms = np.array(frames.geoms, dtype=np.intp)
        self._sites = np.array(frames.sites, dtype=np.intp)
        self._lights = np.array(frames.lights, dtype=np.intp)
        self._cameras = np.array(frames.cameras, dtype=np.intp)
        extras = len(frames.geoms) + len(frames.sites) + len(frames.lights) + len(frames.cameras)
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
        rows[end:, :3] = data.cam_xpos[self._cameras]
        rows[end:, 3:] = quaternions_from_matrices(data.cam_xmat[self._cameras])
        return rows


def export_scene(model: Model) -> SceneExport:
    """Collects what a viewer needs to draw `model`; the same model gives the same bytes.

    Start states do not show in it as long as a task moves things only through frames, so call it after the first reset
    (some tasks set sizes there) and reuse the result for every start.

    Args:
        model: `mujoco.MjModel` (of dm_control: `physics.model.ptr`).
    """
    blob = AssetBlob()
    frames = _Frames.of(model)
    geoms = [
        g for g in range(model.ngeom) if _visible(model.geom_group[g], _geom_rgba(model, g)) and _supported(model, g)
    ]
    used_materials = {int(model.geom_matid[g]) for g in geoms} | {int(model.site_matid[s]) for s in frames.sites}
    material_ids = sorted(used_materials - {-1})
    texture_ids = sorted({_texture_of(model, m) for m in material_ids} - {-1})
    mesh_ids = sorted({int(model.geom_dataid[g]) for g in geoms if model.geom_type[g] == MESH})
    field_ids = sorted({int(model.geom_dataid[g]) for g in geoms if model.geom_type[g] == HEIGHT_FIELD})
    manifest = {
        "format": MANIFEST_FORMAT,
        "frames": _frame_records(model, frames),
        "geoms": [
            _geom_record(model, frames, g)
            | {
                "material": _position(material_ids, int(model.geom_matid[g])),
                "mesh": _position(mesh_ids, int(model.geom_dataid[g])) if model.geom_type[g] == MESH else -1,
                "heightField": _position(field_ids, int(model.geom_dataid[g]))
                if model.geom_type[g] == HEIGHT_FIELD
                else -1,
            }
            for g in geoms
        ],
        "sites": [
            _site_record(model, frames, s) | {"material": _position(material_ids, int(model.site_matid[s]))}
            for s in frames.sites
        ],
        "meshes": [add_mesh(blob, model, m) for m in mesh_ids],
        "heightFields": [add_height_field(blob, model, h) for h in field_ids],
        "materials": [_material_record(model, m, texture_ids) for m in material_ids],
        "textures": [add_texture(blob, model, t) for t in texture_ids],
        "lights": [_light_record(model, frames, i) for i in range(model.nlight)],
        "cameras": [_camera_record(model, frames, c) for c in range(model.ncam)],
        "view": _view_record(model),
    }
    manifest_json = json.dumps(manifest, separators=(",", ":"), sort_keys=True).encode()
    assets = blob.bytes()
    return SceneExport(scene_hash(manifest_json, assets), manifest_json, assets)


def quaternions_from_matrices(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit quaternions (w, x, y, z) [n, 4] of row-major rotation matrices [n, 9]."""
    quaternions = np.empty((len(matrices), 4), dtype=np.float64)
    for row, matrix in zip(quaternions, matrices, strict=True):
        mujoco.mju_mat2Quat(row, matrix)
    return quaternions


def quaternions_from_directions(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quaternions (w, x, y, z) [n, 4] of the shortest turn that brings (0, 0, -1) to each unit vector [n, 3]."""
    x, y, z = directions[:, 0], directions[:, 1], directions[:, 2]
    quaternions = np.stack([1.0 - z, y, -x, np.zeros_like(x)], axis=1)
    straight_up = quaternions[:, 0] < 1e-9
    quaternions[straight_up] = (0.0, 1.0, 0.0, 0.0)
    return quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)


def _visible(group: int, rgba: tuple[float, ...]) -> bool:
    return int(group) < VISIBLE_GROUPS and rgba[3] > 0.0


def _supported(model: Model, geom: int) -> bool:
    return int(model.geom_type[geom]) in GEOM_TYPES


def _geom_rgba(model: Model, geom: int) -> tuple[float, ...]:
    return _resolved_rgba(model, int(model.geom_matid[geom]), model.geom_rgba[geom])


def _site_rgba(model: Model, site: int) -> tuple[float, ...]:
    return _resolved_rgba(model, int(model.site_matid[site]), model.site_rgba[site])


def _resolved_rgba(model: Model, material: int, own: NDArray[np.float32]) -> tuple[float, ...]:
    """MuJoCo's rule: an own colour that is not the default one wins over the material's."""
    own_rgba = tuple(float(v) for v in own)
    if material < 0 or own_rgba != DEFAULT_RGBA:
        return own_rgba
    return tuple(float(v) for v in model.mat_rgba[material])


def _texture_of(model: Model, material: int) -> int:
    roles = model.mat_texid[material]
    texture = int(roles[TEXTURE_ROLE_RGB])
    return texture if texture >= 0 else int(roles[TEXTURE_ROLE_RGBA])


def _position(ids: list[int], item: int) -> int:
    return ids.index(item) if item in ids else -1


def _numbers(values: Any) -> list[float]:
    """Six significant digits: below a hundredth of a millimetre at these sizes, and short as text."""
    return [float(f"{float(v):.6g}") for v in values]


def _exact(values: Any) -> list[float]:
    return [float(f"{float(v):.9g}") for v in values]


def _frame_records(model: Model, frames: _Frames) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = [
        {"kind": "body", "name": model.body(b).name, "parent": int(model.body_parentid[b]) if b else -1}
        for b in range(model.nbody)
    ]
    records += [
        {"kind": "geom", "name": model.geom(g).name, "parent": int(model.geom_bodyid[g])} for g in frames.geoms
    ]
    records += [
        {"kind": "site", "name": model.site(s).name, "parent": int(model.site_bodyid[s])} for s in frames.sites
    ]
    records += [
        {"kind": "light", "name": model.light(i).name, "parent": int(model.light_bodyid[i])} for i in frames.lights
    ]
    records += [
        {"kind": "camera", "name": model.camera(c).name, "parent": int(model.cam_bodyid[c])} for c in frames.cameras
    ]
    return records


def _placed(frame: int | None, body: int, position: Any, quaternion: Any) -> dict[str, Any]:
    if frame is not None:
        return {"frame": frame, "position": [0.0, 0.0, 0.0], "quaternion": [1.0, 0.0, 0.0, 0.0]}
    return {"frame": int(body), "position": _exact(position), "quaternion": _exact(quaternion)}


def _geom_record(model: Model, frames: _Frames, geom: int) -> dict[str, Any]:
    placed = _placed(
        frames.index("geom", geom), model.geom_bodyid[geom], model.geom_pos[geom], model.geom_quat[geom]
    )
    return placed | {
        "id": geom,
        "name": model.geom(geom).name,
        "type": GEOM_TYPES[int(model.geom_type[geom])],
        "size": _numbers(model.geom_size[geom]),
        "rgba": _numbers(_geom_rgba(model, geom)),
        "group": int(model.geom_group[geom]),
    }


def _site_record(model: Model, frames: _Frames, site: int) -> dict[str, Any]:
    placed = _placed(
        frames.index("site", site), model.site_bodyid[site], model.site_pos[site], model.site_quat[site]
    )
    return placed | {
        "id": site,
        "name": model.site(site).name,
        "type": GEOM_TYPES[int(model.site_type[site])],
        "size": _numbers(model.site_size[site]),
        "rgba": _numbers(_site_rgba(model, site)),
        "group": int(model.site_group[site]),
    }


def _material_record(model: Model, material: int, texture_ids: list[int]) -> dict[str, Any]:
    return {
        "name": model.material(material).name,
        "rgba": _numbers(model.mat_rgba[material]),
        "emission": float(model.mat_emission[material]),
        "specular": _numbers([model.mat_specular[material]])[0],
        "shininess": _numbers([model.mat_shininess[material]])[0],
        "reflectance": _numbers([model.mat_reflectance[material]])[0],
        "texture": _position(texture_ids, _texture_of(model, material)),
        "textureRepeat": _numbers(model.mat_texrepeat[material]),
        "textureUniform": bool(model.mat_texuniform[material]),
    }


def _light_record(model: Model, frames: _Frames, light: int) -> dict[str, Any]:
    frame = frames.index("light", light)
    turn = quaternions_from_directions(np.asarray([model.light_dir[light]], dtype=np.float64))[0]
    return _placed(frame, model.light_bodyid[light], model.light_pos[light], turn) | {
        "kind": "directional" if model.light_directional[light] else "spot",
        "active": bool(model.light_active[light]),
        "castShadow": bool(model.light_castshadow[light]),
        "ambient": _numbers(model.light_ambient[light]),
        "diffuse": _numbers(model.light_diffuse[light]),
        "specular": _numbers(model.light_specular[light]),
        "attenuation": _numbers(model.light_attenuation[light]),
        "cutoffDegrees": float(model.light_cutoff[light]),
        "exponent": float(model.light_exponent[light]),
    }


def _camera_record(model: Model, frames: _Frames, camera: int) -> dict[str, Any]:
    return _placed(
        frames.index("camera", camera), model.cam_bodyid[camera], model.cam_pos[camera], model.cam_quat[camera]
    ) | {
        "name": model.camera(camera).name,
        "tracking": bool(model.cam_mode[camera] != FIXED_MODE),
        "fovyDegrees": float(model.cam_fovy[camera]),
    }


def _view_record(model: Model) -> dict[str, Any]:
    visual, headlight = model.vis, model.vis.headlight
    return {
        "extent": float(model.stat.extent),
        "center": _numbers(model.stat.center),
        "meanSize": float(model.stat.meansize),
        "zNear": float(visual.map.znear),
        "zFar": float(visual.map.zfar),
        "headlight": {
            "active": bool(headlight.active),
            "ambient": _numbers(headlight.ambient),
            "diffuse": _numbers(headlight.diffuse),
            "specular": _numbers(headlight.specular),
        },
    }
