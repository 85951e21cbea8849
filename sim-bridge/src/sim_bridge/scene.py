"""Turns a compiled MuJoCo model into geometry that a viewer draws without MuJoCo.

A scene is sent once and addressed by its content. What moves is a list of *frames*: frame 0 is the world,
frames 1..nbody-1 are the bodies, and behind them come things whose place a task rewrites at reset or while
running (visible sites, geoms on the world body, tracking lights and cameras). `ScenePoses.rows` gives the
poses of frames 1.. as one array. Every drawable names its frame and its pose within it: no kinematics needed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sim_bridge.scene_assets import (
    TEXTURE_KINDS,
    AssetBlob,
    add_height_field,
    add_mesh,
    add_skin,
    add_texture,
)
from sim_bridge.scene_frames import (
    FIXED_MODE,
    HEIGHT_FIELD,
    MESH,
    SITE_WRAP,
    Model,
    SceneFrames,
    ScenePoses,
    geom_rgba,
    is_drawable,
    is_visible,
    quaternions_from_directions,
    site_rgba,
    skin_rgba,
    tendon_points,
    tendon_rgba,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SceneExport", "ScenePoses", "export_scene", "has_terrain", "scene_hash"]

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
MOST_HIDDEN_TRIANGLES: Final = 20_000
TEXTURE_ROLE_RGB: Final = 1
TEXTURE_ROLE_RGBA: Final = 8


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


def has_terrain(model: Model) -> bool:
    """Whether a start is drawn with geometry of its own: `quadruped-escape` makes new hills for each.

    Nothing else that is drawn differs between two starts of a task or changes within an episode, other than
    by the poses of frames; a test compares all drawn arrays of all tasks.
    """
    return bool(np.any(model.geom_type == HEIGHT_FIELD))


def scene_hash(manifest_json: bytes, assets: bytes) -> str:
    """SHA-256 (hex) over the manifest's length (u64, little-endian), the manifest, and the assets."""
    digest = hashlib.sha256(len(manifest_json).to_bytes(8, "little"))
    digest.update(manifest_json)
    digest.update(assets)
    return digest.hexdigest()


def export_scene(model: Model) -> SceneExport:
    """Collects what a viewer needs to draw `model`; the same model gives the same bytes.

    Start states do not show in it unless the model `has_terrain`, so call it after the first reset (some
    tasks set sizes there) and reuse the result for every start.

    Args:
        model: `mujoco.MjModel` (of dm_control: `physics.model.ptr`).
    """
    blob = AssetBlob()
    frames = SceneFrames.of(model)
    geoms = _drawn_geoms(model)
    sites = [s for s in range(model.nsite) if is_drawable(model.site_group[s], site_rgba(model, s))]
    users = [int(model.geom_matid[g]) for g in geoms] + [int(model.site_matid[s]) for s in sites]
    skins = [k for k in range(model.nskin) if is_visible(model.skin_group[k], skin_rgba(model, k))]
    users += [int(model.skin_matid[k]) for k in skins] + [int(model.tendon_matid[t]) for t in frames.tendons]
    materials = _without_none(users)
    textures = _without_none(_texture_of(model, m) for m in materials)
    sky = next((t for t in range(model.ntex) if TEXTURE_KINDS[int(model.tex_type[t])] == "skybox"), -1)
    textures = _without_none([*textures, sky])
    meshes = _without_none(_data_of(model, g, MESH) for g in geoms)
    fields = _without_none(_data_of(model, g, HEIGHT_FIELD) for g in geoms)
    manifest = {
        "format": MANIFEST_FORMAT,
        "frames": _frame_records(model, frames),
        "geoms": [
            _geom_record(model, frames, g)
            | {
                "material": _position(materials, int(model.geom_matid[g])),
                "mesh": _position(meshes, _data_of(model, g, MESH)),
                "heightField": _position(fields, _data_of(model, g, HEIGHT_FIELD)),
            }
            for g in geoms
        ],
        "sites": [
            _site_record(model, frames, s) | {"material": _position(materials, int(model.site_matid[s]))}
            for s in sites
        ],
        "skins": [
            add_skin(blob, model, k)
            | {
                "rgba": _numbers(skin_rgba(model, k)),
                "material": _position(materials, int(model.skin_matid[k])),
            }
            for k in skins
        ],
        "tendons": [
            _tendon_record(model, frames, t) | {"material": _position(materials, int(model.tendon_matid[t]))}
            for t in frames.tendons
        ],
        "rays": _ray_record(model, frames),
        "meshes": [add_mesh(blob, model, m) for m in meshes],
        "heightFields": [add_height_field(blob, model, h) for h in fields],
        "materials": [_material_record(model, m, textures) for m in materials],
        "textures": [add_texture(blob, model, t) for t in textures],
        "lights": [_light_record(model, frames, i) for i in range(model.nlight)],
        "cameras": [_camera_record(model, frames, c) for c in range(model.ncam)],
        "view": _view_record(model) | {"skybox": _position(textures, sky)},
    }
    manifest_json = json.dumps(manifest, separators=(",", ":"), sort_keys=True).encode()
    assets = blob.bytes()
    return SceneExport(scene_hash(manifest_json, assets), manifest_json, assets)


def _drawn_geoms(model: Model) -> list[int]:
    """Geoms of all groups, as viewers may ask for those that are not shown at first.

    Meshes that only those use are left out where they are many: the bones inside the dog are twenty times as
    much as all else.
    """
    geoms = [
        g
        for g in range(model.ngeom)
        if int(model.geom_type[g]) in GEOM_TYPES and is_drawable(model.geom_group[g], geom_rgba(model, g))
    ]
    shown = {g for g in geoms if is_visible(model.geom_group[g], geom_rgba(model, g))}
    extra = {_data_of(model, g, MESH) for g in geoms} - {_data_of(model, g, MESH) for g in shown} - {-1}
    if sum(int(model.mesh_facenum[mesh]) for mesh in extra) <= MOST_HIDDEN_TRIANGLES:
        return geoms
    return [g for g in geoms if g in shown or _data_of(model, g, MESH) not in extra]


def _without_none(ids: Iterable[int]) -> list[int]:
    """Each id once, in rising order; -1 stands for "none"."""
    return sorted(set(ids) - {-1})


def _data_of(model: Model, geom: int, geom_type: int) -> int:
    """Mesh or height field of a geom of that type, else -1."""
    return int(model.geom_dataid[geom]) if model.geom_type[geom] == geom_type else -1


def _texture_of(model: Model, material: int) -> int:
    roles = model.mat_texid[material]
    texture = int(roles[TEXTURE_ROLE_RGB])
    return texture if texture >= 0 else int(roles[TEXTURE_ROLE_RGBA])


def _position(ids: list[int], item: int) -> int:
    return ids.index(item) if item in ids else -1


def _numbers(values: Any) -> list[float]:
    """Six significant digits: colours and sizes need no more, and the text stays short."""
    return [float(f"{float(v):.6g}") for v in values]


def _exact(values: Any) -> list[float]:
    """Nine significant digits: poses are checked against the simulator to 1e-5."""
    return [float(f"{float(v):.9g}") for v in values]


def _frame_records(model: Model, frames: SceneFrames) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = [
        {"kind": "body", "name": model.body(b).name, "parent": int(model.body_parentid[b]) if b else -1}
        # Nothing can move what is welded to the world.
        | ({"fixed": True} if int(model.body_weldid[b]) == 0 else {})
        for b in range(model.nbody)
    ]
    for kind, items, view, bodies in (
        ("geom", frames.geoms, model.geom, model.geom_bodyid),
        ("site", frames.sites, model.site, model.site_bodyid),
        ("light", frames.lights, model.light, model.light_bodyid),
        ("camera", frames.cameras, model.camera, model.cam_bodyid),
    ):
        records += [{"kind": kind, "name": view(i).name, "parent": int(bodies[i])} for i in items]
    for tendon in frames.tendons:
        point = {"kind": "tendon", "name": model.tendon(tendon).name, "parent": 0}
        records += [dict(point) for _ in range(tendon_points(model, tendon))]
    for ray in frames.rays:
        records += [{"kind": "ray", "name": model.sensor(ray).name, "parent": 0} for _ in range(2)]
    return records


def _placed(frame: int | None, body: int, position: Any, quaternion: Any) -> dict[str, Any]:
    if frame is not None:
        return {"frame": frame, "position": [0.0, 0.0, 0.0], "quaternion": [1.0, 0.0, 0.0, 0.0]}
    return {"frame": int(body), "position": _exact(position), "quaternion": _exact(quaternion)}


def _geom_record(model: Model, frames: SceneFrames, geom: int) -> dict[str, Any]:
    frame = frames.index("geom", geom)
    return _placed(frame, model.geom_bodyid[geom], model.geom_pos[geom], model.geom_quat[geom]) | {
        "id": geom,
        "name": model.geom(geom).name,
        "type": GEOM_TYPES[int(model.geom_type[geom])],
        "size": _numbers(model.geom_size[geom]),
        "rgba": _numbers(geom_rgba(model, geom)),
        "group": int(model.geom_group[geom]),
    }


def _site_record(model: Model, frames: SceneFrames, site: int) -> dict[str, Any]:
    frame = frames.index("site", site)
    return _placed(frame, model.site_bodyid[site], model.site_pos[site], model.site_quat[site]) | {
        "id": site,
        "name": model.site(site).name,
        "type": GEOM_TYPES[int(model.site_type[site])],
        "size": _numbers(model.site_size[site]),
        "rgba": _numbers(site_rgba(model, site)),
        "group": int(model.site_group[site]),
    }


def _tendon_record(model: Model, frames: SceneFrames, tendon: int) -> dict[str, Any]:
    """A line of capsules through frames `first` .. `first` + `count` - 1.

    A string between two sites that only its longest length holds hangs as a curve of that length while its
    ends are closer together.
    """
    adr = int(model.tendon_adr[tendon])
    loose = (
        tendon_points(model, tendon) == 2
        and int(model.tendon_num[tendon]) == 2
        and bool(model.tendon_limited[tendon])
        and float(model.tendon_range[tendon][0]) == 0.0
        and float(model.tendon_stiffness[tendon]) == 0.0
        and float(model.tendon_damping[tendon]) == 0.0
        and float(model.tendon_frictionloss[tendon]) == 0.0
        and int(model.wrap_type[adr]) == SITE_WRAP
    )
    first = frames.body_count + sum(map(len, (frames.geoms, frames.sites, frames.lights, frames.cameras)))
    before = [t for t in frames.tendons if t < tendon]
    return {
        "first": first + sum(tendon_points(model, t) for t in before),
        "count": tendon_points(model, tendon),
        "width": float(model.tendon_width[tendon]),
        "rgba": _numbers(tendon_rgba(model, tendon)),
        "hangingLength": float(model.tendon_range[tendon][1]) if loose else 0.0,
    }


def _ray_record(model: Model, frames: SceneFrames) -> dict[str, Any]:
    """Lines from frame `first` + 2k to the frame behind it."""
    others = ScenePoses(model).count - 2 * len(frames.rays)
    return {"first": others + 1, "count": len(frames.rays), "rgba": _numbers(model.vis.rgba.rangefinder)}


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


def _light_record(model: Model, frames: SceneFrames, light: int) -> dict[str, Any]:
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


def _camera_record(model: Model, frames: SceneFrames, camera: int) -> dict[str, Any]:
    frame = frames.index("camera", camera)
    return _placed(frame, model.cam_bodyid[camera], model.cam_pos[camera], model.cam_quat[camera]) | {
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
        "contacts": {
            "pointRgba": _numbers(visual.rgba.contactpoint),
            "forceRgba": _numbers(visual.rgba.contactforce),
            "pointRadius": float(visual.scale.contactwidth * model.stat.meansize),
            "pointHalfHeight": float(visual.scale.contactheight * model.stat.meansize),
            "forceRadius": float(visual.scale.forcewidth * model.stat.meansize),
            "metresPerNewton": float(visual.map.force / model.stat.meanmass),
        },
        "zNear": float(visual.map.znear),
        "zFar": float(visual.map.zfar),
        "shadowScale": float(visual.map.shadowscale),
        "shadowClip": float(visual.map.shadowclip),
        "headlight": {
            "active": bool(headlight.active),
            "ambient": _numbers(headlight.ambient),
            "diffuse": _numbers(headlight.diffuse),
            "specular": _numbers(headlight.specular),
        },
    }
