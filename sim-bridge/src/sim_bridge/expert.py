"""Scripted experts as acting policies, with noise of their own."""

from dataclasses import dataclass

import numpy as np

from sim_bridge.simulator import Float32Array, Float64Array, Simulator


@dataclass(frozen=True, slots=True)
class ExpertDecision:
    """What the expert does and what it would have done without noise, both [A] in [-1, 1]."""

    executed: Float32Array
    target: Float32Array


class ExpertActor:
    """The scripted expert of a task with Gaussian noise on its actions.

    The noise depends on its seed alone: one draw of A numbers a step, also where the deviation is 0.
    """

    def __init__(self, simulator: Simulator, noise: float, noise_seed: int) -> None:
        """Makes an actor for one episode.

        Args:
            simulator: Whose expert acts.
            noise: Standard deviation, in units of the action.
            noise_seed: Any non-negative integer.
        """
        self._simulator = simulator
        self._noise = noise
        self._generator = np.random.Generator(np.random.PCG64(noise_seed))

    def decide(self, observation: Float64Array) -> ExpertDecision:
        """Decides for one observation [W].

        The noise is added to the expert's raw answer, before clipping, as in Meta-World's own experiments.
        """
        raw = self._simulator.expert_action(observation)
        noisy = raw + self._noise * self._generator.standard_normal(raw.size)
        return ExpertDecision(
            executed=np.clip(noisy, -1.0, 1.0).astype(np.float32), target=np.clip(raw, -1.0, 1.0)
        )
