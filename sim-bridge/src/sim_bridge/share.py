"""A person's share in a step."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from sim_bridge.body_puller import Pull
from sim_bridge.simulator import Float32Array


@dataclass(frozen=True, slots=True)
class Share:
    """What a person does in one step."""

    weight: float
    """How much of an expert's step is the action that came with it, in [0, 1]."""
    pull: Pull | None

    def mixed(self, action: Float32Array, expert: Float32Array) -> Float32Array:
        """The step of an expert with this share in it; [A] in [-1, 1]."""
        if self.weight == 0.0:
            return expert
        weight = np.float32(self.weight)
        return np.clip(weight * action + (np.float32(1.0) - weight) * expert, -1.0, 1.0)


def shares_of(message: dict[str, Any]) -> Iterator[Share | None]:
    """One for each row of a checked `act` message; None, in almost all of them, where nobody has a share."""
    weights, pulls = message.get("weights"), message.get("pulls")
    if weights is None and pulls is None:
        return repeat(None)
    return (
        _share(
            0.0 if weights is None else float(weights[row]),
            None if pulls is None else Pull.from_row(pulls[row]),
        )
        for row in range(len(message["environments"]))
    )


def _share(weight: float, pull: Pull | None) -> Share | None:
    # NaN is no share either.
    weight = min(1.0, weight) if weight > 0.0 else 0.0
    return None if weight == 0.0 and pull is None else Share(weight, pull)
