"""All tasks of the DeepMind Control Suite with addressable, reproducible starts."""

import math
from typing import Any

import numpy as np
from dm_control import suite
from dm_control.rl import control

from sim_bridge.errors import SimulatorError
from sim_bridge.model_snapshot import ModelSnapshot
from sim_bridge.mujoco_api import UNLIMITED, MjData, MjModel
from sim_bridge.simulator import (
    EvaluationProtocol,
    Float32Array,
    Float64Array,
    ObservationPart,
    TaskSpec,
    Transition,
    fits_wire,
)

# These draw the model itself (stiffness and damping) when they are built, so another start is another model.
_DRAWN_MODEL_DOMAINS = frozenset({"lqr"})


class DmControlSimulator:
    """One task of the Control Suite, without a time limit: the horizon belongs to the episode."""

    def __init__(self, domain: str, task: str) -> None:
        """Loads the task.

        Args:
            domain: The suite's domain, such as `walker`.
            task: The task within it, such as `walk`.
        """
        self._domain = domain
        self._task = task
        self._redrawn = domain in _DRAWN_MODEL_DOMAINS
        self._load(np.random.RandomState(0))
        observation = self._environment.reset().observation
        self._layout = _layout_of(observation)
        self._spec = TaskSpec(
            task=f"dmcontrol/{domain}-{task}",
            observation=tuple(ObservationPart(name, np.size(value)) for name, value in observation.items()),
            action_size=int(self._minimum.size),
            control_timestep=float(self._environment.control_timestep()),
            reports_success=False,
            has_expert=False,
        )

    @property
    def spec(self) -> TaskSpec:
        """The task's specification."""
        return self._spec

    @property
    def model(self) -> MjModel:
        """The physics model; another one after each start of `lqr`."""
        return self._environment.physics.model.ptr

    @property
    def data(self) -> MjData:
        """The physics state; another one after each start of `lqr`."""
        return self._environment.physics.data.ptr

    @property
    def max_horizon(self) -> int | None:
        """Unlimited."""
        return None

    def start(self, protocol: EvaluationProtocol, seed: int, index: int) -> Float64Array:  # noqa: ARG002
        """Starts an episode; see `Simulator.start`.

        Both protocols: the suite's own start, drawn by the task's generator seeded with [seed, index].
        """
        if self._redrawn:
            self._load(np.random.RandomState([seed, index]))
        else:
            self._snapshot.restore()
            self._environment.task.random.seed([seed, index])
        return self._flattened(self._environment.reset().observation)

    def step(self, action: Float32Array) -> Transition:
        """Applies one action, mapped affinely from [-1, 1] to the actuators' range; see `Simulator.step`.

        Actuators without a range (`lqr`) get the action as it is.
        """
        try:
            # Any warning of MuJoCo becomes an exception here.
            moment = self._environment.step(self._control_from_action(action))
        except control.PhysicsError:
            return self._unstable()
        observation = self._flattened(moment.observation)
        if not fits_wire(observation):
            return self._unstable()
        # Without a time limit the suite ends an episode only where the task itself says so, with discount 0.
        return Transition(
            observation, float(moment.reward), terminated=bool(moment.last()), success=False, unstable=False
        )

    def expert_action(self, observation: Float64Array) -> Float32Array:  # noqa: ARG002
        """The suite has no scripted experts."""
        raise SimulatorError("L2M_TASK_UNSUPPORTED", f"{self._spec.task} has no scripted expert")

    def _load(self, generator: np.random.RandomState) -> None:
        self._environment: Any = suite.load(
            self._domain, self._task, task_kwargs={"random": generator, "time_limit": math.inf}
        )
        make_headless(self._environment.physics)
        self._snapshot = ModelSnapshot(self.model)
        actions = self._environment.action_spec()
        limited = np.logical_and(np.abs(actions.minimum) < UNLIMITED, np.abs(actions.maximum) < UNLIMITED)
        self._minimum = np.where(limited, actions.minimum, -1.0)
        self._maximum = np.where(limited, actions.maximum, 1.0)
        self._mapped = bool((self._minimum != -1.0).any() or (self._maximum != 1.0).any())

    def _control_from_action(self, action: Float32Array) -> Float64Array:
        exact = action.astype(np.float64)
        if not self._mapped:
            return exact
        return self._minimum + (exact + 1.0) * 0.5 * (self._maximum - self._minimum)

    def _flattened(self, observation: dict[str, Any]) -> Float64Array:
        flat = np.empty(self._spec.observation_size)
        for part, place, is_matrix in self._layout:
            value = observation[part]
            flat[place] = value.ravel() if is_matrix else value
        return flat

    def _unstable(self) -> Transition:
        return Transition(
            np.zeros(self._spec.observation_size), 0.0, terminated=False, success=False, unstable=True
        )


def _layout_of(observation: dict[str, Any]) -> list[tuple[str, slice, bool]]:
    """Name, place and whether it has more than one dimension, of each part."""
    layout: list[tuple[str, slice, bool]] = []
    end = 0
    for name, value in observation.items():
        begin, end = end, end + np.size(value)
        layout.append((name, slice(begin, end), np.ndim(value) > 1))
    return layout


def make_headless(physics: Any) -> None:
    """Tells `quadruped-escape` that nobody draws its terrain; it would open a window to find out."""
    headless = type(physics).__name__ + "Headless"
    physics.__class__ = type(headless, (type(physics),), {"contexts": None})
