"""Writes metaworld_starts.json: digests of the 50 goals that Meta-World's own benchmarks draw with seed 42.

Takes a minute. Run this file with the simulators' Python when the pinned metaworld changes.
"""

import hashlib
import json
import pickle
from pathlib import Path

import metaworld
import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

SEED = 42


def digest_of(name: str) -> str:
    """SHA-256 over the float64 bytes of all goals, in order."""
    tasks = metaworld.MT1(name, seed=SEED).train_tasks
    vectors = [pickle.loads(task.data)["rand_vec"] for task in tasks]  # noqa: S301
    return hashlib.sha256(np.array(vectors, dtype="<f8").tobytes()).hexdigest()


if __name__ == "__main__":
    golden = {"seed": SEED, "digests": {name: digest_of(name) for name in ALL_V3_ENVIRONMENTS}}
    target = Path(__file__).with_name("metaworld_starts.json")
    target.write_text(json.dumps(golden, indent=2) + "\n", encoding="utf-8")
