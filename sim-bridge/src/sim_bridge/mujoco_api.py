"""The few functions of the untyped `mujoco` package that are used here, with types."""

from typing import Any, TypeAlias

import mujoco

MjModel: TypeAlias = Any
MjData: TypeAlias = Any

_mujoco: Any = mujoco

UNLIMITED: float = _mujoco.mjMAXVAL
"""What stands for "no limit" in an actuator's range."""


def reset(model: MjModel, data: MjData) -> None:
    """Puts the physics state back to the model's own and computes all that follows from it."""
    _mujoco.mj_resetData(model, data)
    forward(model, data)


def forward(model: MjModel, data: MjData) -> None:
    """Computes all that follows from the present positions and velocities."""
    _mujoco.mj_forward(model, data)
