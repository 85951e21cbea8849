"""Scripted experts as acting policies, with noise of their own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim_bridge.goal_keeper import GoalKeeper
from sim_bridge.simulator import Float32Array, Float64Array, Simulator


@dataclass(frozen=True, slots=True)
class ExpertDecision:
    """What the expert does and what it would have done without noise, both [A] in [-1, 1]."""

    executed: Float32Array
    target: Float32Array


@dataclass(frozen=True, slots=True)
class ExpertChoice:
    """Which expert acts in an episode."""

    noise: float
    """Standard deviation, in units of the action."""
    noise_seed: int
    """Any non-negative integer."""
    keeps_goal: bool = False
    """Whether it stays at the goal once it is reached; else the script goes on, as in Meta-World."""

    @classmethod
    def from_message(cls, actor: dict[str, Any]) -> "ExpertChoice":
        """Reads the `actor` of a checked `assign` message."""
        return cls(actor["noise"], actor["noiseSeed"], actor.get("variant", "scripted") == "keep-goal")


class ExpertActor:
    """The scripted expert of a task with Gaussian noise on its actions.

    The noise depends on its seed alone: one draw of A numbers a step, also where the deviation is 0.
    """

    def __init__(self, simulator: Simulator, choice: ExpertChoice) -> None:
        """Makes an actor for one episode.

        Args:
            simulator: Whose expert acts.
            choice: How.
        """
        self._simulator = simulator
        self._noise = choice.noise
        self._generator = np.random.Generator(np.random.PCG64(choice.noise_seed))
        name = simulator.spec.task.rpartition("/")[2]
        self._keeper = GoalKeeper(name) if choice.keeps_goal else None

    def decide(self, observation: Float64Array, *, reached: bool = False) -> ExpertDecision:
        """Decides for one observation [W].

        The noise is added to the expert's raw answer, before clipping, as in Meta-World's own experiments.

        Args:
            observation: Before the action.
            reached: Whether the simulator calls the present state a success.
        """
        raw = self._simulator.expert_action(observation)
        if self._keeper is not None:
            raw = self._keeper.keep(observation, raw, reached=reached)
        noisy = raw + self._noise * self._generator.standard_normal(raw.size)
        return ExpertDecision(
            executed=np.clip(noisy, -1.0, 1.0).astype(np.float32), target=np.clip(raw, -1.0, 1.0)
        )
