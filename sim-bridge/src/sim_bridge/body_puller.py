"""Pulls a body by the spring of MuJoCo's own viewer."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from sim_bridge.simulator import Float32Array, Simulator

_mujoco: Any = mujoco
_TRANSLATE: Any = _mujoco.mjtPertBit.mjPERT_TRANSLATE


@dataclass(frozen=True, slots=True)
class Pull:
    """A body held at a point of its own frame and pulled towards a place in the world, in metres."""

    body: int
    point: tuple[float, float, float]
    target: tuple[float, float, float]

    @classmethod
    def from_row(cls, row: Float32Array) -> "Pull | None":
        """Reads a row [7] of `act.pulls`; None where no body is pulled or a number is not finite."""
        if row[0] < 1 or not np.isfinite(row).all():
            return None
        body, *rest = row.tolist()
        return cls(int(body), (rest[0], rest[1], rest[2]), (rest[3], rest[4], rest[5]))


class BodyPuller:
    """The hand on one episode.

    The spring is `mjv_applyPerturbForce`: stiffness `vis.map.stiffness` times the mass felt at the point when
    it was gripped, and damped. It is computed from the state before a control step and holds throughout it:
    start state, actions and pulls together decide an episode.
    """

    def __init__(self, simulator: Simulator) -> None:
        """Holds nothing.

        Args:
            simulator: After the start of the episode.
        """
        self._model = simulator.model
        self._data = simulator.data
        self._perturb: Any = _mujoco.MjvPerturb()
        self._scene: Any = _mujoco.MjvScene(self._model, maxgeom=1)
        # Gripping asks for a camera, of which only the mouse would use what it computes.
        for camera in self._scene.camera:
            camera.forward[:] = (0.0, 1.0, 0.0)
            camera.up[:] = (0.0, 0.0, 1.0)
            camera.frustum_near, camera.frustum_far = 0.01, 1.0
            camera.frustum_bottom, camera.frustum_top = -0.01, 0.01
        self._held: tuple[int, tuple[float, float, float]] | None = None

    @contextmanager
    def pulling(self, pull: Pull | None) -> Generator[None]:
        """The force acts within the context; None lets go, as does a body that the model does not have."""
        if pull is None or pull.body >= self._model.nbody:
            self._held = None
            yield
            return
        if self._held != (pull.body, pull.point):
            self._grip(pull)
        self._perturb.refselpos[:] = pull.target
        _mujoco.mjv_applyPerturbForce(self._model, self._data, self._perturb)
        try:
            yield
        finally:
            self._data.xfrc_applied[pull.body] = 0.0

    def _grip(self, pull: Pull) -> None:
        self._held = (pull.body, pull.point)
        self._perturb.select = pull.body
        self._perturb.localpos[:] = pull.point
        _mujoco.mjv_initPerturb(self._model, self._data, self._scene, self._perturb)
        self._perturb.active = int(_TRANSLATE)
