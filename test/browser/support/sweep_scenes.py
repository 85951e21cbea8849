"""Writes one start of every scene there is in both suites, with MuJoCo's own picture of it.

Usage: MUJOCO_GL=osmesa sweep_scenes.py OUT

Writes what golden_scenes.py does and OUT/<n>.png, and says "<n> <task>" once the files of a scene are there. Tasks
whose scenes are byte for byte the same are drawn the same: the first of them stands for all.
"""

import sys
from pathlib import Path

from dm_control import suite
from golden_scenes import describe, picture, start_of
from metaworld.policies import ENV_POLICY_MAP
from sim_bridge.scene import export_scene

METAWORLD_CAMERA = "corner"
"""All of the table, close by; of DMControl's models it is the first camera, with which the page begins."""


def sweep(out: Path) -> None:
    """One scene after the other; each is complete before the next is begun."""
    tasks = [
        f"dmcontrol/{domain}-{task}".replace("_", "-")
        for domain, task in suite.ALL_TASKS
    ]
    tasks += [f"metaworld/{name}" for name in ENV_POLICY_MAP]
    seen: set[str] = set()
    for task in tasks:
        model, data = start_of(task)
        scene = export_scene(model).hash
        if scene in seen:
            continue
        number = len(seen)
        seen.add(scene)
        camera = (
            model.camera(METAWORLD_CAMERA).id if task.startswith("metaworld/") else 0
        )
        describe(out / str(number), task, (model, data), camera)
        picture(out / f"{number}.png", model, data, camera)
        print(number, task, flush=True)


if __name__ == "__main__":
    sweep(Path(sys.argv[1]))
