"""Meta-World v3 tasks with addressable, reproducible starts and a visible goal."""

import copy
import pickle
import warnings
from typing import Any

import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP
from metaworld.types import Task

from sim_bridge.errors import SimulatorError
from sim_bridge.model_snapshot import ModelSnapshot
from sim_bridge.mujoco_api import MjData, MjModel, forward, reset
from sim_bridge.simulator import (
    EvaluationProtocol,
    Float32Array,
    Float64Array,
    ObservationPart,
    TaskSpec,
    Transition,
    fits_wire,
)

OFFICIAL_START_COUNT = 50
"""Goals per task of a Meta-World benchmark."""
MAX_HORIZON = 500
"""The environment refuses the step after this one."""
OBSERVATION_SIZE = 39
ACTION_SIZE = 4
CONTROL_TIMESTEP = 0.0125

_CACHED_SEEDS = 16

# The experts' controllers ask for more than 1 all the time and say so each time; the caller clips.
warnings.filterwarnings("ignore", message=r"Constant\(s\) may be too high")


class MetaWorldSimulator:
    """One Meta-World task.

    The package gives no addressable start by itself: `reset(seed)` ignores the seed, and a start comes from
    numpy's global generator or from a stored vector. So every start sets the vector that (protocol, seed,
    index) names. It also puts environment, physics and model back to what they were after construction, which
    makes independence of the past a property of this class instead of fifty others.
    """

    def __init__(self, name: str) -> None:
        """Loads the task.

        Args:
            name: Meta-World's own name, such as `reach-v3`.
        """
        self._name = name
        self._environment_class = ALL_V3_ENVIRONMENTS[name]
        self._environment: Any = self._environment_class()
        self._expert = ENV_POLICY_MAP[name]()
        self._snapshot = ModelSnapshot(self._environment.model)
        self._warning_counts = self._environment.data.warning.number
        attributes = vars(self._environment)
        self._owned = copy.deepcopy({name: value for name, value in attributes.items() if _is_owned(value)})
        self._kept = {name: value for name, value in attributes.items() if name not in self._owned}
        self._official_starts: dict[int, list[Float64Array]] = {}
        self._spec = TaskSpec(
            task=f"metaworld/{name}",
            observation=(ObservationPart("state", OBSERVATION_SIZE),),
            action_size=ACTION_SIZE,
            control_timestep=CONTROL_TIMESTEP,
            reports_success=True,
            has_expert=True,
        )

    @property
    def spec(self) -> TaskSpec:
        """The task's specification."""
        return self._spec

    @property
    def model(self) -> MjModel:
        """The physics model."""
        return self._environment.model

    @property
    def data(self) -> MjData:
        """The physics state."""
        return self._environment.data

    @property
    def max_horizon(self) -> int | None:
        """Meta-World counts steps itself and raises after 500."""
        return MAX_HORIZON

    def start(self, protocol: EvaluationProtocol, seed: int, index: int) -> Float64Array:
        """Starts an episode; see `Simulator.start`.

        `official-v3`: goal `index` of the 50 that `metaworld.MT1(name, seed=seed)` draws.
        `l2m-paper`: drawn from the task's whole range by a generator of its own, seeded by (seed, index).
        """
        if protocol == "official-v3":
            if index >= OFFICIAL_START_COUNT:
                raise SimulatorError(
                    "L2M_START_UNKNOWN", f"start {index} of {self._spec.task} in official-v3"
                )
            vector = self.official_starts(seed)[index]
        else:
            vector = self._draw_starts(np.random.Generator(np.random.PCG64([seed, index])), 1)[0]
        self._restore()
        self._environment.set_task(self._task_of(vector))
        observation, _ = self._environment.reset()
        return np.array(observation, dtype=np.float64)

    def step(self, action: Float32Array) -> Transition:
        """Applies one action; see `Simulator.step`.

        `terminated` is never set: no Meta-World task ends by itself.
        """
        observation, reward, _, _, info = self._environment.step(action)
        # On a diverging state MuJoCo resets itself in the middle of a step and goes on, so the numbers look
        # fine again; only its warning counters tell.
        if self._warning_counts.any() or not fits_wire(observation):
            return Transition(np.zeros(OBSERVATION_SIZE), 0.0, terminated=False, success=False, unstable=True)
        return Transition(
            observation, float(reward), terminated=False, success=bool(info["success"]), unstable=False
        )

    def expert_action(self, observation: Float64Array) -> Float32Array:
        """The scripted policy that ships with Meta-World; it has no memory."""
        return np.asarray(self._expert.get_action(observation), dtype=np.float32)

    def official_starts(self, seed: int) -> list[Float64Array]:
        """The 50 start vectors that Meta-World's benchmark draws for this task with `seed`."""
        starts = self._official_starts.get(seed)
        if starts is None:
            # The benchmark seeds numpy's global generator; one of the same kind gives the same numbers.
            starts = self._draw_starts(np.random.RandomState(seed), OFFICIAL_START_COUNT)
            if len(self._official_starts) >= _CACHED_SEEDS:
                self._official_starts.pop(next(iter(self._official_starts)))
            self._official_starts[seed] = starts
        return starts

    def _draw_starts(self, generator: object, count: int) -> list[Float64Array]:
        """Draws start vectors with the task's own rules (it rejects some), without simulating the arm.

        Each reset draws two vectors and keeps the second: so does the benchmark.
        """
        self._restore()
        environment = self._environment
        vars(environment).update(
            _freeze_rand_vec=False,
            seeded_rand_vec=True,
            _set_task_called=True,
            _reset_hand=self._pretend_hand_reset,
        )
        environment.np_random = generator
        vectors: list[Float64Array] = []
        for _ in range(count):
            environment.reset()
            vectors.append(np.array(environment._last_rand_vec, dtype=np.float64))
        return vectors

    def _pretend_hand_reset(self, steps: int = 50) -> None:  # noqa: ARG002
        forward(self.model, self.data)
        self._environment.init_tcp = self._environment.tcp_center

    def _task_of(self, vector: Float64Array) -> Task:
        data = {"rand_vec": vector, "env_cls": self._environment_class, "partially_observable": False}
        return Task(env_name=self._name, data=pickle.dumps(data))

    def _restore(self) -> None:
        """Makes environment, model and physics state what they were after construction."""
        attributes = vars(self._environment)
        for name in attributes.keys() - self._kept.keys() - self._owned.keys():
            del attributes[name]
        attributes.update(self._kept)
        attributes.update(copy.deepcopy(self._owned))
        self._snapshot.restore()
        reset(self.model, self.data)


def _is_owned(value: object) -> bool:
    """Whether an attribute is a value of the environment's own that an episode may change in place.

    Arrays that look into MuJoCo's memory are not: they must go on showing the present state.
    """
    if not isinstance(value, np.ndarray):
        return isinstance(value, list | dict)
    root = value
    while isinstance(root.base, np.ndarray):
        root = root.base
    return root.base is None
