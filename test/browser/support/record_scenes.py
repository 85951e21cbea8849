"""Writes a scene and a short real trajectory of each named task, for tests of the page.

Usage: record_scenes.py OUT TASK[:STEPS]...

For each task: OUT/<n>.json (description), .manifest, .assets, .poses (float32 [steps + 1, rows, 7]).
Meta-World is driven by its scripted expert, DMControl by slow sine waves.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sim_bridge.dmcontrol_simulator import make_headless
from sim_bridge.scene import SceneExport, ScenePoses, export_scene

warnings.filterwarnings("ignore")


def metaworld_task(name: str) -> Any:
    """Yields model, data, reward and success: of the start, then of every step of the scripted expert."""
    import metaworld
    from metaworld.policies import ENV_POLICY_MAP

    benchmark = metaworld.MT1(name, seed=1)
    environment: Any = benchmark.train_classes[name]()
    environment.set_task(benchmark.train_tasks[0])
    observation, _ = environment.reset()
    policy = ENV_POLICY_MAP[name]()
    yield environment.model, environment.data, 0.0, False
    while True:
        action = np.clip(policy.get_action(observation), -1, 1)
        observation, reward, _, _, info = environment.step(action)
        yield environment.model, environment.data, float(reward), bool(info["success"])


def dmcontrol_task(name: str) -> Any:
    """Yields the same for a task of dm_control under slow sine waves."""
    from dm_control import suite

    domain, task = next(
        (d, t) for d, t in suite.ALL_TASKS if f"{d}-{t}".replace("_", "-") == name
    )
    environment: Any = suite.load(domain, task, task_kwargs={"random": 1})
    make_headless(environment.physics)
    environment.reset()
    spec = environment.action_spec()
    phases = np.random.default_rng(1).uniform(0, 2 * np.pi, spec.shape)
    step = 0
    yield environment.physics.model.ptr, environment.physics.data.ptr, 0.0, False
    while True:
        step += 1
        action = np.clip(np.sin(0.12 * step + phases), spec.minimum, spec.maximum)
        timestep = environment.step(action)
        reward = float(timestep.reward or 0.0)
        yield environment.physics.model.ptr, environment.physics.data.ptr, reward, False


def record(out: Path, number: int, argument: str) -> None:
    """Writes the files of one task."""
    task, _, steps = argument.partition(":")
    domain, name = task.split("/")
    play = metaworld_task(name) if domain == "metaworld" else dmcontrol_task(name)
    model, data, _, _ = next(play)
    export, poses = export_scene(model), ScenePoses(model)
    rows, rewards, successes = [poses.rows(data)], [0.0], [False]
    for _ in range(int(steps or 120)):
        _, data, reward, success = next(play)
        rows.append(poses.rows(data))
        rewards.append(reward)
        successes.append(success)
    write(
        out / str(number),
        task,
        export,
        np.stack(rows),
        {"rewards": rewards, "successes": successes},
    )


def write(
    path: Path,
    task: str,
    export: SceneExport,
    rows: NDArray[np.float32],
    told: dict[str, Any],
) -> None:
    """Writes a scene, its poses `rows` [steps + 1, rows, 7], and what is told of them beside."""
    path.with_suffix(".manifest").write_bytes(export.manifest_json)
    path.with_suffix(".assets").write_bytes(export.assets)
    path.with_suffix(".poses").write_bytes(rows.astype("<f4").tobytes())
    described = {"task": task, "hash": export.hash, "rows": rows.shape[1]} | told
    path.with_suffix(".json").write_text(json.dumps(described))


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    for index, argument in enumerate(sys.argv[2:]):
        record(directory, index, argument)
