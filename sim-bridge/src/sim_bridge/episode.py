"""One episode on one environment: counts steps, clips actions, remembers what the wire wants to know."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sim_bridge.body_puller import BodyPuller, Pull
from sim_bridge.errors import SimulatorError
from sim_bridge.expert import ExpertActor, ExpertChoice
from sim_bridge.pose_sampler import PoseSampler
from sim_bridge.share import Share
from sim_bridge.simulator import EvaluationProtocol, Float32Array, Float64Array, Simulator, Transition
from sim_bridge.wire import STEP_FLAGS

_TERMINATED, _TRUNCATED = STEP_FLAGS["terminated"], STEP_FLAGS["truncated"]
_SUCCESS, _UNSTABLE, _POSES = STEP_FLAGS["success"], STEP_FLAGS["unstable"], STEP_FLAGS["poses"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the server wants to be played where."""

    environment: int
    episode: int
    task: str
    protocol: EvaluationProtocol
    seed: int
    start: int
    horizon: int
    expert: ExpertChoice | None
    """None where the server acts."""
    poses: bool = False
    """Whether every row carries poses."""

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> "Assignment":
        """Reads a checked `assign` message."""
        actor = message["actor"]
        return cls(
            environment=message["environment"],
            episode=message["episode"],
            task=message["task"],
            protocol=message["protocol"],
            seed=message["seed"],
            start=message["start"],
            horizon=message["horizon"],
            expert=ExpertChoice.from_message(actor) if actor["kind"] == "expert" else None,
            poses=message.get("poses", False),
        )


class Row(NamedTuple):
    """What one environment shows in one tick."""

    environment: int
    episode: int
    step: int
    observation: Float32Array
    """[W]"""
    reward: float
    flags: int
    executed: Float32Array
    """[A], zeros at the start"""
    target: Float32Array | None
    """[A] the expert's clean action, zeros at the start; None where the server acts"""
    poses: Float32Array | None
    """[frames, 7]"""
    contacts: Float32Array | None = None
    """[n, 11], only with poses"""


class Episode:
    """A running episode. After a row with `finished` set it must not be stepped again."""

    def __init__(self, assignment: Assignment, simulator: Simulator, poses: PoseSampler) -> None:
        """Checks that the simulator can play the assignment.

        Args:
            assignment: What to play.
            simulator: For this episode's own use, until it is finished.
            poses: A new sampler.

        Raises:
            SimulatorError: L2M_TASK_UNSUPPORTED if the horizon is too long or the expert does not exist.
        """
        spec, limit = simulator.spec, simulator.max_horizon
        if limit is not None and assignment.horizon > limit:
            raise SimulatorError(
                "L2M_TASK_UNSUPPORTED", f"{spec.task} has at most {limit} steps, not {assignment.horizon}"
            )
        self._expert: ExpertActor | None = None
        if assignment.expert is not None:
            if not spec.has_expert:
                raise SimulatorError("L2M_TASK_UNSUPPORTED", f"{spec.task} has no scripted expert")
            self._expert = ExpertActor(simulator, assignment.expert)
        self.assignment = assignment
        self.simulator = simulator
        self.finished = False
        self.steps = 0
        self._poses = poses
        self._action_size = spec.action_size
        self._observation: Float64Array = np.zeros(spec.observation_size)
        self._reached = False
        self._puller: BodyPuller | None = None

    def start(self) -> Row:
        """Puts the simulator into the start state and shows it."""
        assignment = self.assignment
        self._observation = self.simulator.start(assignment.protocol, assignment.seed, assignment.start)
        nothing = np.zeros(self._action_size, dtype=np.float32)
        return self._row(0.0, 0, nothing, None if self._expert is None else nothing)

    def step(self, action: Float32Array, share: Share | None = None) -> Row:
        """Executes one action.

        Args:
            action: At least A numbers, of which the first A are clipped to [-1, 1] and executed; ignored
                where the expert acts alone.
            share: What a person does in this step, if there is one.

        Raises:
            SimulatorError: L2M_MESSAGE_UNEXPECTED if the action is too short or not finite.
        """
        target: Float32Array | None = None
        if self._expert is None:
            executed = self._checked(action)
        else:
            decision = self._expert.decide(self._observation, reached=self._reached)
            executed, target = decision.executed, decision.target
            if share is not None:
                executed = share.mixed(self._checked(action), executed)
        if share is None and self._puller is None:
            transition = self.simulator.step(executed)
        else:
            transition = self._pulled_step(executed, None if share is None else share.pull)
        self.steps += 1
        self._observation = transition.observation
        self._reached = transition.success
        return self._row(transition.reward, self._flags_of(transition), executed, target)

    def _pulled_step(self, executed: Float32Array, pull: Pull | None) -> Transition:
        if self._puller is None:
            self._puller = BodyPuller(self.simulator)
        with self._puller.pulling(pull):
            return self.simulator.step(executed)

    def _checked(self, action: Float32Array) -> Float32Array:
        own = action[: self._action_size]
        # Python's own numbers: for so few of them numpy takes five times as long.
        numbers = own.tolist()
        if len(numbers) < self._action_size:
            raise SimulatorError(
                "L2M_MESSAGE_UNEXPECTED", f"an action of {len(numbers)} numbers, not {self._action_size}"
            )
        if not all(map(math.isfinite, numbers)):
            raise SimulatorError("L2M_MESSAGE_UNEXPECTED", "an action that is not finite")
        return own if max(numbers) <= 1.0 and min(numbers) >= -1.0 else np.clip(own, -1.0, 1.0)

    def _flags_of(self, transition: Transition) -> int:
        flags = _SUCCESS if transition.success else 0
        if transition.unstable:
            flags |= _UNSTABLE
        elif transition.terminated:
            flags |= _TERMINATED
        elif self.steps >= self.assignment.horizon:
            flags |= _TRUNCATED
        else:
            return flags
        self.finished = True
        return flags

    def _row(self, reward: float, flags: int, executed: Float32Array, target: Float32Array | None) -> Row:
        poses = None
        if self._poses.wanted:
            poses = self._poses.sample(self.simulator, required=self.steps == 0 or self.finished)
        # Positional: this runs for every step of every environment, and names would cost as much as the rest.
        return Row(
            self.assignment.environment,
            self.assignment.episode,
            self.steps,
            self._observation.astype(np.float32),
            reward,
            flags if poses is None else flags | _POSES,
            executed,
            target,
            poses,
            None if poses is None else self._poses.contacts(self.simulator),
        )
