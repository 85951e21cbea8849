"""Loads exported data sets with the libraries that they are for, and prints what these see as JSON.

python read_exports.py minari FOLDER ID
python read_exports.py lerobot FOLDER
"""

import os
import sys


def read_minari(folder: str, name: str) -> dict[str, object]:
    """What `minari.load_dataset` gives."""
    os.environ["MINARI_DATASETS_PATH"] = folder
    import minari

    data = minari.load_dataset(name)
    episode = data[1]
    return {
        "listed": sorted(minari.list_local_datasets()),
        "episodes": int(data.total_episodes),
        "steps": int(data.total_steps),
        "observation": list(data.observation_space.shape),
        "inside": bool(data.action_space.contains(episode.actions[0])),
        "observations": episode.observations.tolist(),
        "actions": episode.actions.tolist(),
        "rewards": episode.rewards.tolist(),
        "truncations": episode.truncations.tolist(),
        "success": episode.infos["success"].tolist(),
    }


def read_lerobot(folder: str) -> dict[str, object]:
    """What `LeRobotDataset` gives."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    data = LeRobotDataset("l2m/exported", root=folder)
    frame = data[5]
    return {
        "episodes": data.num_episodes,
        "frames": data.num_frames,
        "task": frame["task"],
        "state": frame["observation.state"].tolist(),
        "action": frame["action"].tolist(),
        "episode": int(frame["episode_index"]),
        "mean": data.meta.stats["next.reward"]["mean"].tolist(),
    }


if __name__ == "__main__":
    library, *rest = sys.argv[1:]
