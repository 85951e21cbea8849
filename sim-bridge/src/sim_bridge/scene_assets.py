"""Packs meshes, height fields and textures of a model into one blob of aligned little-endian arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTURE_KINDS: Final = {0: "2d", 1: "cube", 2: "skybox"}
MAX_TEXTURE_SIDE: Final = 256
"""Photographs are averaged down to this: a tile of the page is about 300 pixels wide.

Drawings, skies and checkers keep their size, as runs of equal pixels take less room than the average would;
an average would blur the very lines they consist of.
"""

SMOOTH_LIMIT: Final = 0.8
"""MuJoCo's renderer takes a corner's own normal only if its cosine with the face normal reaches this."""


class AssetBlob:
    """Grows by one array at a time; each starts at a multiple of 4 bytes."""

    def __init__(self) -> None:
        """Starts empty."""
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, array: NDArray[Any]) -> dict[str, Any]:
        """Appends `array` and returns its address: type, shape, byte offset."""
        data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        address = {"type": array.dtype.name, "shape": list(array.shape), "offset": self._length}
        padding = b"\0" * (-len(data) % 4)
        self._parts += [data, padding]
        self._length += len(data) + len(padding)
        return address

    def bytes(self) -> bytes:
        """Everything added so far."""
        return b"".join(self._parts)


def add_mesh(blob: AssetBlob, model: Any, mesh: int) -> dict[str, Any]:
    """Adds one mesh as a welded triangle list.

    Positions are float32 [v, 3], normals int16 [v, 3] (unit times 32767), texture coordinates float32 [v, 2]
    or absent, indices uint16 or uint32 [t, 3]. Position, normal and texture coordinate have index lists of
    their own in the model; here two corners share a vertex only if all three agree.
    """
    vertex_first, vertex_count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    face_first, face_count = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
    normal_first, normal_count = int(model.mesh_normaladr[mesh]), int(model.mesh_normalnum[mesh])
    vertices = np.asarray(model.mesh_vert[vertex_first : vertex_first + vertex_count], dtype=np.float32)
    faces = np.asarray(model.mesh_face[face_first : face_first + face_count])
    normals = np.asarray(model.mesh_normal[normal_first : normal_first + normal_count], dtype=np.float32)
    corner_normals = normals[np.asarray(model.mesh_facenormal[face_first : face_first + face_count])]
    textured = int(model.mesh_texcoordadr[mesh]) >= 0
    if not textured:
        corner_normals = _crisp_normals(vertices, faces, corner_normals)
    quantised = np.rint(corner_normals.reshape(-1, 3) * 32767).astype(np.int16)
    columns: list[NDArray[Any]] = [faces.reshape(-1, 1), quantised]
    coordinates: NDArray[np.float32] | None = None
    if textured:
        first, count = int(model.mesh_texcoordadr[mesh]), int(model.mesh_texcoordnum[mesh])
        coordinates = np.asarray(model.mesh_texcoord[first : first + count], dtype=np.float32)
        texture_faces = np.asarray(model.mesh_facetexcoord[face_first : face_first + face_count])
        columns.append(texture_faces.reshape(-1, 1))
    corners = np.hstack([column.astype(np.int32) for column in columns])
    _, chosen, indices = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    index_type = np.uint16 if len(chosen) <= 0xFFFF else np.uint32
    return {
        "name": model.mesh(mesh).name,
        "positions": blob.add(vertices[corners[chosen, 0]]),
        "normals": blob.add(quantised[chosen]),
        "textureCoordinates": None if coordinates is None else blob.add(coordinates[corners[chosen, 4]]),
        "indices": blob.add(indices.reshape(-1, 3).astype(index_type)),
    }


def _crisp_normals(
    vertices: NDArray[np.float32], faces: NDArray[Any], corner_normals: NDArray[np.float32]
) -> NDArray[np.float32]:
    """[f, 3, 3] corner normals with those replaced by the face's that lean too far away from it."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face_normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(face_normals, axis=1, keepdims=True)
    face_normals = face_normals / np.where(lengths > 0.0, lengths, 1.0)
    wide = np.broadcast_to(face_normals[:, None, :], corner_normals.shape)
    smooth = np.sum(corner_normals * wide, axis=2, keepdims=True) >= SMOOTH_LIMIT
    degenerate = (lengths <= 0.0)[:, None, :]
    return np.where(smooth | degenerate, corner_normals, wide).astype(np.float32)


def add_skin(blob: AssetBlob, model: Any, skin: int) -> dict[str, Any]:
    """Adds one skin as it is when nothing is bent, and which bodies pull at each vertex.

    `bones` uint16 [v, 4] are rows of `bodies`, `weights` float32 [v, 4] sum to 1: the four strongest of each.
    """
    first, count = int(model.skin_vertadr[skin]), int(model.skin_vertnum[skin])
    face_first, face_count = int(model.skin_faceadr[skin]), int(model.skin_facenum[skin])
    bone_first, bone_count = int(model.skin_boneadr[skin]), int(model.skin_bonenum[skin])
    bones = slice(bone_first, bone_first + bone_count)
    dense = np.zeros((count, bone_count), dtype=np.float32)
    for bone in range(bone_count):
        begin = int(model.skin_bonevertadr[bone_first + bone])
        part = slice(begin, begin + int(model.skin_bonevertnum[bone_first + bone]))
        dense[model.skin_bonevertid[part], bone] = model.skin_bonevertweight[part]
    strongest = np.argsort(-dense, axis=1, kind="stable")[:, :4]
    weights = np.take_along_axis(dense, strongest, axis=1)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    faces = np.asarray(model.skin_face[face_first : face_first + face_count])
    coordinates: NDArray[np.float32] | None = None
    if int(model.skin_texcoordadr[skin]) >= 0:
        texture_first = int(model.skin_texcoordadr[skin])
        coordinates = np.asarray(model.skin_texcoord[texture_first : texture_first + count], dtype=np.float32)
    return {
        "name": model.skin(skin).name,
        "positions": blob.add(np.asarray(model.skin_vert[first : first + count], dtype=np.float32)),
        "textureCoordinates": None if coordinates is None else blob.add(coordinates),
        "indices": blob.add(faces.astype(np.uint16 if count <= 0xFFFF else np.uint32)),
        "bones": blob.add(strongest.astype(np.uint16)),
        "weights": blob.add(weights),
        "bodies": [int(v) for v in model.skin_bonebodyid[bones]],
        "bindPositions": blob.add(np.asarray(model.skin_bonebindpos[bones], dtype=np.float32)),
        "bindQuaternions": blob.add(np.asarray(model.skin_bonebindquat[bones], dtype=np.float32)),
    }


def add_height_field(blob: AssetBlob, model: Any, field: int) -> dict[str, Any]:
    """Adds a height field: `size` is (half x, half y, top, bottom), `heights` [rows, columns] in 0..1."""
    rows, columns = int(model.hfield_nrow[field]), int(model.hfield_ncol[field])
    first = int(model.hfield_adr[field])
    heights = np.asarray(model.hfield_data[first : first + rows * columns], dtype=np.float32)
    return {
        "name": model.hfield(field).name,
        "size": [float(v) for v in model.hfield_size[field]],
        "heights": blob.add(heights.reshape(rows, columns)),
    }


def add_texture(blob: AssetBlob, model: Any, texture: int) -> dict[str, Any]:
    """Adds the pixels of one texture: uint8 [faces, height, width, 3 or 4], first row first.

    Faces of a cube are +x, -x, +y, -y, +z, -z; a single face serves all six. A photograph is averaged down.
    All else has `runs`, uint16: then `pixels` are the colours of runs of equal pixels, [runs, channels],
    and `shape` is that of all pixels together.
    """
    kind = TEXTURE_KINDS[int(model.tex_type[texture])]
    height, width = int(model.tex_height[texture]), int(model.tex_width[texture])
    channels, first = int(model.tex_nchannel[texture]), int(model.tex_adr[texture])
    faces = 1 if kind == "2d" else height // width
    pixels = np.asarray(model.tex_data[first : first + height * width * channels], dtype=np.uint8)
    pixels = pixels.reshape(faces, height // faces, width, channels)
    if channels not in (3, 4):
        pixels = np.repeat(pixels[..., :1], 3, axis=3)
    mean = [round(float(v) / 255.0, 4) for v in pixels.reshape(-1, pixels.shape[3]).mean(axis=0)]
    record = {"name": model.texture(texture).name, "kind": kind, "mean": mean}
    colors, lengths = _runs(pixels)
    reduced = _averaged(pixels)
    if kind == "skybox" or colors.nbytes + lengths.nbytes < reduced.nbytes:
        return record | {"pixels": blob.add(colors), "runs": blob.add(lengths), "shape": list(pixels.shape)}
    return record | {"pixels": blob.add(reduced)}


def _runs(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Runs of equal pixels, in order: their colours [runs, channels] and their lengths."""
    flat = pixels.reshape(-1, pixels.shape[3])
    starts = np.flatnonzero(np.r_[True, np.any(flat[1:] != flat[:-1], axis=1)])
    starts = np.union1d(starts, np.arange(0, len(flat), 0xFFFF))
    return flat[starts], np.diff(np.r_[starts, len(flat)]).astype(np.uint16)


def _averaged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    faces, height, width, channels = pixels.shape
    factor = -(-max(height, width) // MAX_TEXTURE_SIDE)
    if factor == 1:
        return pixels
    rows, columns = max(1, height // factor), max(1, width // factor)
    cropped = pixels[:, : rows * factor, : columns * factor].astype(np.float32)
    blocks = cropped.reshape(faces, rows, factor, columns, factor, channels)
    return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)
