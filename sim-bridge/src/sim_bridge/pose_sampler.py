"""Decides which rows carry body poses, so that watching costs no more than the viewer can draw."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from sim_bridge.contact_rows import contact_rows
from sim_bridge.scene import ScenePoses
from sim_bridge.simulator import Float32Array, Simulator


@dataclass(slots=True)
class Watch:
    """How many poses a second and environment the server wants now; one for all environments."""

    poses_hz: float = 0.0
    contacts: bool = False
    """Whether poses bring the contacts of the moment along."""


class PoseSampler:
    """Samples the poses of one episode by the wall clock."""

    def __init__(
        self,
        watch: Watch,
        clock: Callable[[], float] = time.monotonic,
        *,
        always: bool = False,
        first: Callable[[Simulator], None] | None = None,
    ) -> None:
        """Makes a sampler for one episode.

        Args:
            watch: Read at every sample, so a change takes effect at the next step.
            clock: Seconds.
            always: Whether every row carries poses, watched or not: the episode is recorded.
            first: Called before the first poses of the episode.
        """
        self._always = always
        self._first = first
        self._watch = watch
        self._clock = clock
        self._sampled_at = -math.inf
        self._scene: ScenePoses | None = None

    @property
    def wanted(self) -> bool:
        """Whether anybody watches or records."""
        return self._always or self._watch.poses_hz > 0.0

    def contacts(self, simulator: Simulator) -> Float32Array | None:
        """Contacts [n, 11] to go with poses; None where nobody asked for them."""
        return contact_rows(simulator.model, simulator.data) if self._watch.contacts else None

    def sample(self, simulator: Simulator, *, required: bool) -> Float32Array | None:
        """Poses [frames, 7] if it is time or they are `required` (starts and ends); else None."""
        if not self.wanted:
            return None
        now = self._clock()
        if not self._always and not required and now - self._sampled_at < 1.0 / self._watch.poses_hz:
            return None
        self._sampled_at = now
        if self._scene is None:
            self._scene = ScenePoses(simulator.model)
            if self._first is not None:
                self._first(simulator)
        return self._scene.rows(simulator.data)
