"""Writes scenes at their start with what MuJoCo itself sees of them, for the golden images of the page.

Usage: golden_scenes.py OUT TASK@CAMERA...
           what record_scenes.py writes, of the start alone, and OUT/<n>.view.json: where MuJoCo's camera sees
           each body
       golden_scenes.py --pictures DIR TASK@CAMERA...
           renders DIR/<task>.png (needs MUJOCO_GL=osmesa or egl)
"""

import json
import sys
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from record_scenes import dmcontrol_task, metaworld_task, write
from sim_bridge.scene import ScenePoses, export_scene

SIDE = 480


def start_of(task: str) -> tuple[Any, Any]:
    """Model and data of the task's recorded start."""
    domain, name = task.split("/")
    play = metaworld_task(name) if domain == "metaworld" else dmcontrol_task(name)
    model, data, _, _ = next(play)
    return model, data


def seen_bodies(model: Any, data: Any, camera: int) -> list[list[float]]:
    """[frame, x, y] in pixels, from the upper left, of each body's origin in front of the camera."""
    local = (data.xpos - data.cam_xpos[camera]) @ data.cam_xmat[camera].reshape(3, 3)
    focal = SIDE / 2 / np.tan(np.radians(model.cam_fovy[camera]) / 2)
    return [
        [body, SIDE / 2 - focal * x / z, SIDE / 2 + focal * y / z]
        for body, (x, y, z) in enumerate(local.tolist())
        if body > 0 and z < -1e-3
    ]


def describe(path: Path, task: str, start: tuple[Any, Any], camera: int) -> None:
    """Writes the scene and the places of its bodies in a camera's picture."""
    model, data = start
    told = {"rewards": [0.0], "successes": [False]}
    write(path, task, export_scene(model), ScenePoses(model).rows(data)[None], told)
    view = {"camera": camera, "bodies": seen_bodies(model, data, camera)}
    path.with_suffix(".view.json").write_text(json.dumps(view))


def picture(file: Path, model: Any, data: Any, camera: int) -> None:
    """Renders one camera's view with MuJoCo's default options."""
    from PIL import Image

    with mujoco.Renderer(model, SIDE, SIDE) as renderer:
        renderer.update_scene(data, camera)
        Image.fromarray(renderer.render()).save(file, optimize=True)


if __name__ == "__main__":
    pictures = sys.argv[1] == "--pictures"
    directory = Path(sys.argv[2 if pictures else 1])
    for index, argument in enumerate(sys.argv[3 if pictures else 2 :]):
        task, camera_name = argument.split("@")
        model, data = start_of(task)
        camera = model.camera(camera_name).id
        if pictures:
            picture(directory / f"{task.replace('/', '-')}.png", model, data, camera)
        else:
            describe(directory / str(index), task, (model, data), camera)
