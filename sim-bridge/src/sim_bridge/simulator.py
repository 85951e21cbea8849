"""What every simulator offers: its specification, addressable starts and steps."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from sim_bridge.mujoco_api import MjData, MjModel

EvaluationProtocol = Literal["official-v3", "l2m-paper"]
Float64Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

_LARGEST_SQUARE = float(np.finfo(np.float32).max) ** 2


@dataclass(frozen=True, slots=True)
class ObservationPart:
    """One named part of an observation, in the simulator's own order; `size` is its flattened length."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """Everything a policy has to know of a task, as `TaskSpec` of `protocol/task.ts`."""

    task: str
    observation: tuple[ObservationPart, ...]
    action_size: int
    control_timestep: float
    """Seconds of simulated time of one step."""
    reports_success: bool
    has_expert: bool

    @property
    def observation_size(self) -> int:
        """Length of the flattened observation."""
        return sum(part.size for part in self.observation)

    def as_message(self) -> dict[str, Any]:
        """The specification in the names of the wire."""
        return {
            "task": self.task,
            "observation": [{"name": part.name, "size": part.size} for part in self.observation],
            "actionSize": self.action_size,
            "controlTimestep": self.control_timestep,
            "reportsSuccess": self.reports_success,
            "hasExpert": self.has_expert,
        }


class Transition(NamedTuple):
    """What one step brought. There is no truncation: the horizon belongs to the episode."""

    observation: Float64Array
    """[W] after the step; all zeros if `unstable`."""
    reward: float
    terminated: bool
    success: bool
    unstable: bool
    """The physics diverged: the observation means nothing and the episode cannot go on."""


class Simulator(Protocol):
    """One environment of one task. Not thread-safe; reused for any number of episodes."""

    @property
    def spec(self) -> TaskSpec:
        """The task's specification; never changes."""
        ...

    @property
    def model(self) -> MjModel:
        """The physics model of the present episode; read only. A start may replace it."""
        ...

    @property
    def data(self) -> MjData:
        """The physics state of the present episode; read only. A start may replace it."""
        ...

    @property
    def max_horizon(self) -> int | None:
        """Most steps of one episode, if the simulator has a limit."""
        ...

    def start(self, protocol: EvaluationProtocol, seed: int, index: int) -> Float64Array:
        """Starts an episode from the state that (task, protocol, seed, index) names, whatever came before.

        Args:
            protocol: Which rule makes start states out of the other two.
            seed: 0 to 2**32 - 1.
            index: 0 to 2**32 - 1; `official-v3` of Meta-World has 50.

        Returns:
            The first observation [W].

        Raises:
            SimulatorError: L2M_START_UNKNOWN if there is no such start.
        """
        ...

    def step(self, action: Float32Array) -> Transition:
        """Applies one action [A] in [-1, 1] for one control timestep."""
        ...

    def expert_action(self, observation: Float64Array) -> Float32Array:
        """The scripted expert's answer [A] to an observation [W], not clipped.

        Raises:
            SimulatorError: L2M_TASK_UNSUPPORTED if the task has no expert.
        """
        ...


def fits_wire(observation: Float64Array) -> bool:
    """Whether float32 can hold every number: neither NaN (which makes the comparison false) nor too large."""
    return bool(observation.dot(observation) <= _LARGEST_SQUARE)
