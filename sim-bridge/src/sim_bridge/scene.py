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
from typing import Final

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
    HEIGHT_FIELD,
    MESH,
    Model,
    SceneFrames,
    ScenePoses,
    geom_rgba,
    is_drawable,
    is_visible,
    site_rgba,
    skin_rgba,
)
from sim_bridge.scene_records import (
    GEOM_TYPES,
    camera_record,
    data_of,
    frame_records,
    geom_record,
    light_record,
    material_record,
    numbers,
    position,
    ray_record,
    site_record,
    tendon_record,
    texture_of,
    view_record,
    without_none,
)

__all__ = ["SceneExport", "ScenePoses", "export_scene", "has_terrain", "scene_hash"]

MANIFEST_FORMAT: Final = 1

MOST_HIDDEN_TRIANGLES: Final = 20_000


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
    materials = without_none(users)
    textures = without_none(texture_of(model, m) for m in materials)
    sky = next((t for t in range(model.ntex) if TEXTURE_KINDS[int(model.tex_type[t])] == "skybox"), -1)
    textures = without_none([*textures, sky])
    meshes = without_none(data_of(model, g, MESH) for g in geoms)
    fields = without_none(data_of(model, g, HEIGHT_FIELD) for g in geoms)
    manifest = {
        "format": MANIFEST_FORMAT,
        "frames": frame_records(model, frames),
        "geoms": [
            geom_record(model, frames, g)
            | {
                "material": position(materials, int(model.geom_matid[g])),
                "mesh": position(meshes, data_of(model, g, MESH)),
                "heightField": position(fields, data_of(model, g, HEIGHT_FIELD)),
            }
            for g in geoms
        ],
        "sites": [
            site_record(model, frames, s) | {"material": position(materials, int(model.site_matid[s]))}
            for s in sites
        ],
        "skins": [
            add_skin(blob, model, k)
            | {
                "rgba": numbers(skin_rgba(model, k)),
                "material": position(materials, int(model.skin_matid[k])),
            }
            for k in skins
        ],
        "tendons": [
            tendon_record(model, frames, t) | {"material": position(materials, int(model.tendon_matid[t]))}
            for t in frames.tendons
        ],
        "rays": ray_record(model, frames),
        "meshes": [add_mesh(blob, model, m) for m in meshes],
        "heightFields": [add_height_field(blob, model, h) for h in fields],
        "materials": [material_record(model, m, textures) for m in materials],
        "textures": [add_texture(blob, model, t) for t in textures],
        "lights": [light_record(model, frames, i) for i in range(model.nlight)],
        "cameras": [camera_record(model, frames, c) for c in range(model.ncam)],
        "view": view_record(model) | {"skybox": position(textures, sky)},
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
    extra = {data_of(model, g, MESH) for g in geoms} - {data_of(model, g, MESH) for g in shown} - {-1}
    if sum(int(model.mesh_facenum[mesh]) for mesh in extra) <= MOST_HIDDEN_TRIANGLES:
        return geoms
    return [g for g in geoms if g in shown or data_of(model, g, MESH) not in extra]
