"""What a scene's manifest says of each thing that is drawn.

All functions take the compiled model and an id in it, and give plain values for JSON. Lengths are in metres,
angles in degrees, colours from 0 to 1; quaternions are (w, x, y, z). -1 stands for "none".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sim_bridge.scene_frames import (
    FIXED_MODE,
    SITE_WRAP,
    Model,
    SceneFrames,
    ScenePoses,
    geom_rgba,
    quaternions_from_directions,
    site_rgba,
    tendon_points,
    tendon_rgba,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

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
TEXTURE_ROLE_RGB: Final = 1
TEXTURE_ROLE_RGBA: Final = 8


def without_none(ids: Iterable[int]) -> list[int]:
    """Each id once, in rising order; -1 stands for "none"."""
    return sorted(set(ids) - {-1})


def data_of(model: Model, geom: int, geom_type: int) -> int:
    """Mesh or height field of a geom of that type, else -1."""
    return int(model.geom_dataid[geom]) if model.geom_type[geom] == geom_type else -1


def texture_of(model: Model, material: int) -> int:
    """The colour texture of a material, else -1."""
    roles = model.mat_texid[material]
    texture = int(roles[TEXTURE_ROLE_RGB])
    return texture if texture >= 0 else int(roles[TEXTURE_ROLE_RGBA])


def position(ids: list[int], item: int) -> int:
    """Where an item stands in the manifest's list, else -1."""
    return ids.index(item) if item in ids else -1


def numbers(values: Any) -> list[float]:
    """Six significant digits: colours and sizes need no more, and the text stays short."""
    return [float(f"{float(v):.6g}") for v in values]


def _exact(values: Any) -> list[float]:
    """Nine significant digits: poses are checked against the simulator to 1e-5."""
    return [float(f"{float(v):.9g}") for v in values]


def frame_records(model: Model, frames: SceneFrames) -> list[dict[str, Any]]:
    """All frames in the order of `ScenePoses.rows`, the world first."""
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


def geom_record(model: Model, frames: SceneFrames, geom: int) -> dict[str, Any]:
    """A geom in its frame; materials and assets are the caller's to add."""
    frame = frames.index("geom", geom)
    return _placed(frame, model.geom_bodyid[geom], model.geom_pos[geom], model.geom_quat[geom]) | {
        "id": geom,
        "name": model.geom(geom).name,
        "type": GEOM_TYPES[int(model.geom_type[geom])],
        "size": numbers(model.geom_size[geom]),
        "rgba": numbers(geom_rgba(model, geom)),
        "group": int(model.geom_group[geom]),
    }


def site_record(model: Model, frames: SceneFrames, site: int) -> dict[str, Any]:
    """A site in its frame; its material is the caller's to add."""
    frame = frames.index("site", site)
    return _placed(frame, model.site_bodyid[site], model.site_pos[site], model.site_quat[site]) | {
        "id": site,
        "name": model.site(site).name,
        "type": GEOM_TYPES[int(model.site_type[site])],
        "size": numbers(model.site_size[site]),
        "rgba": numbers(site_rgba(model, site)),
        "group": int(model.site_group[site]),
    }


def tendon_record(model: Model, frames: SceneFrames, tendon: int) -> dict[str, Any]:
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
        "rgba": numbers(tendon_rgba(model, tendon)),
        "hangingLength": float(model.tendon_range[tendon][1]) if loose else 0.0,
    }


def ray_record(model: Model, frames: SceneFrames) -> dict[str, Any]:
    """Lines from frame `first` + 2k to the frame behind it."""
    others = ScenePoses(model).count - 2 * len(frames.rays)
    return {"first": others + 1, "count": len(frames.rays), "rgba": numbers(model.vis.rgba.rangefinder)}


def material_record(model: Model, material: int, texture_ids: list[int]) -> dict[str, Any]:
    """A material; its texture as a position in `texture_ids`."""
    return {
        "name": model.material(material).name,
        "rgba": numbers(model.mat_rgba[material]),
        "emission": float(model.mat_emission[material]),
        "specular": numbers([model.mat_specular[material]])[0],
        "shininess": numbers([model.mat_shininess[material]])[0],
        "reflectance": numbers([model.mat_reflectance[material]])[0],
        "texture": position(texture_ids, texture_of(model, material)),
        "textureRepeat": numbers(model.mat_texrepeat[material]),
        "textureUniform": bool(model.mat_texuniform[material]),
    }


def light_record(model: Model, frames: SceneFrames, light: int) -> dict[str, Any]:
    """A light in its frame: it shines along its own -z axis."""
    frame = frames.index("light", light)
    turn = quaternions_from_directions(np.asarray([model.light_dir[light]], dtype=np.float64))[0]
    return _placed(frame, model.light_bodyid[light], model.light_pos[light], turn) | {
        "kind": "directional" if model.light_directional[light] else "spot",
        "active": bool(model.light_active[light]),
        "castShadow": bool(model.light_castshadow[light]),
        "ambient": numbers(model.light_ambient[light]),
        "diffuse": numbers(model.light_diffuse[light]),
        "specular": numbers(model.light_specular[light]),
        "attenuation": numbers(model.light_attenuation[light]),
        "cutoffDegrees": float(model.light_cutoff[light]),
        "exponent": float(model.light_exponent[light]),
    }


def camera_record(model: Model, frames: SceneFrames, camera: int) -> dict[str, Any]:
    """A camera in its frame; one that tracks has a frame of its own."""
    frame = frames.index("camera", camera)
    return _placed(frame, model.cam_bodyid[camera], model.cam_pos[camera], model.cam_quat[camera]) | {
        "name": model.camera(camera).name,
        "tracking": bool(model.cam_mode[camera] != FIXED_MODE),
        "fovyDegrees": float(model.cam_fovy[camera]),
    }


def view_record(model: Model) -> dict[str, Any]:
    """What belongs to the whole picture: extent, headlight, shadows, how contacts are drawn."""
    visual, headlight = model.vis, model.vis.headlight
    return {
        "extent": float(model.stat.extent),
        "center": numbers(model.stat.center),
        "meanSize": float(model.stat.meansize),
        "contacts": {
            "pointRgba": numbers(visual.rgba.contactpoint),
            "forceRgba": numbers(visual.rgba.contactforce),
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
            "ambient": numbers(headlight.ambient),
            "diffuse": numbers(headlight.diffuse),
            "specular": numbers(headlight.specular),
        },
    }
