"""Gathers the rows of one tick into one `observed` message."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim_bridge.contact_rows import CONTACT_COLUMNS
from sim_bridge.episode import Row
from sim_bridge.simulator import Float32Array

_NO_CONTACTS = np.zeros((0, CONTACT_COLUMNS), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class TickTiming:
    """Where the time since the last tick went, in milliseconds."""

    simulate_ms: float
    wait_ms: float


def observed_message(rows: Sequence[Row], tick: int, timing: TickTiming) -> dict[str, Any]:
    """The `observed` message of at least one row; shorter observations and actions are padded with zeros."""
    message: dict[str, Any] = {
        "type": "observed",
        "tick": tick,
        "environments": np.array([row.environment for row in rows], dtype=np.uint16),
        "episodes": np.array([row.episode for row in rows], dtype=np.uint32),
        "steps": np.array([row.step for row in rows], dtype=np.uint32),
        "observations": _padded([row.observation for row in rows]),
        "rewards": np.array([row.reward for row in rows], dtype=np.float64),
        "flags": np.array([row.flags for row in rows], dtype=np.uint8),
        "executed": _padded([row.executed for row in rows]),
        "simulateMs": timing.simulate_ms,
        "waitMs": timing.wait_ms,
    }
    if any(row.target is not None for row in rows):
        message["targets"] = _padded(
            [np.zeros_like(row.executed) if row.target is None else row.target for row in rows]
        )
    poses = [row.poses for row in rows if row.poses is not None]
    if poses:
        message["poses"] = np.concatenate(poses)
        message["poseCounts"] = np.array([len(each) for each in poses], dtype=np.uint16)
        contacts = [row.contacts for row in rows if row.poses is not None]
        if any(each is not None for each in contacts):
            known = [_NO_CONTACTS if each is None else each for each in contacts]
            message["contacts"] = np.concatenate(known)
            message["contactCounts"] = np.array([len(each) for each in known], dtype=np.uint16)
    return message


def _padded(vectors: Sequence[Float32Array]) -> Float32Array:
    sizes = {vector.size for vector in vectors}
    if len(sizes) == 1:
        return np.array(vectors)
    matrix = np.zeros((len(vectors), max(sizes)), dtype=np.float32)
    for row, vector in zip(matrix, vectors, strict=True):
        row[: vector.size] = vector
    return matrix
