"""All environments of a worker: which episodes run, which wait to be started, which have an action."""

import time
from collections import deque
from itertools import islice
from typing import Literal

from sim_bridge.episode import Assignment, Episode, Row
from sim_bridge.fault_injection import FaultInjection
from sim_bridge.faults import Fault, fault_from
from sim_bridge.pose_sampler import PoseSampler, Watch
from sim_bridge.scene import SceneExport, export_scene, has_terrain
from sim_bridge.share import Share
from sim_bridge.simulator import Float32Array, Simulator
from sim_bridge.simulator_pool import SimulatorPool
from sim_bridge.wire import STEP_FLAGS


class Environments:
    """Plays episodes on numbered environments. What goes wrong in one concerns no other."""

    def __init__(self, pool: SimulatorPool, watch: Watch, injection: FaultInjection | None = None) -> None:
        """All environments are free.

        Args:
            pool: Where simulators come from.
            watch: Whether rows carry poses.
            injection: For tests of the server only.
        """
        self._pool = pool
        self._watch = watch
        self._injection = injection
        self._episodes: dict[int, Episode] = {}
        self._starts: deque[Assignment] = deque()
        self._actions: dict[int, Float32Array] = {}
        self._shares: dict[int, Share] = {}
        self._simulated_s = 0.0
        self._scenes: list[tuple[Assignment, SceneExport]] = []

    @property
    def busy(self) -> bool:
        """Whether there is something to step or to start."""
        return bool(self._actions or self._starts)

    def take_simulated_ms(self) -> float:
        """Milliseconds spent in simulators since the last call."""
        simulated_s, self._simulated_s = self._simulated_s, 0.0
        return simulated_s * 1000

    def take_scenes(self) -> list[tuple[Assignment, SceneExport]]:
        """Scenes of episodes that are drawn with geometry of their own, since the last call."""
        scenes, self._scenes = self._scenes, []
        return scenes

    def assign(self, assignment: Assignment) -> None:
        """Queues a start; what its environment was doing ends."""
        self._free(assignment.environment)
        self._starts.append(assignment)

    def act(
        self, environment: int, episode: int, action: Float32Array, share: Share | None = None
    ) -> Literal["accepted", "late", "repeated"]:
        """Notes an action for the next `step_ready`; `late` if the episode does not run there."""
        running = self._episodes.get(environment)
        if running is None or running.assignment.episode != episode:
            return "late"
        if environment in self._actions:
            return "repeated"
        self._actions[environment] = action
        if share is not None:
            self._shares[environment] = share
        return "accepted"

    def release(self, environment: int, episode: int) -> bool:
        """Ends an episode early; False if it neither runs nor waits to be started."""
        running = self._episodes.get(environment)
        known = running is not None and running.assignment.episode == episode
        known = known or any(
            (each.environment, each.episode) == (environment, episode) for each in self._starts
        )
        if known:
            self._free(environment)
        return known

    def clear(self) -> None:
        """Ends everything."""
        for environment in {*self._episodes, *(each.environment for each in self._starts)}:
            self._free(environment)

    def step_ready(self) -> list[Row | Fault]:
        """Steps the environments whose actions came first, at most half of those that play.

        So the server decides for one half while the other is being simulated, and neither waits.
        """
        most = (len(self._episodes) + 1) // 2
        chosen = list(islice(self._actions, most))
        before = time.perf_counter()
        outcomes = [
            self._step(self._episodes[environment], self._actions.pop(environment)) for environment in chosen
        ]
        self._simulated_s += time.perf_counter() - before
        return outcomes

    def start_next(self) -> Row | Fault | None:
        """Starts the episode that waits for longest, if any."""
        if not self._starts:
            return None
        assignment = self._starts.popleft()
        before = time.perf_counter()
        try:
            simulator = self._pool.take(assignment.task)
            sampler = PoseSampler(
                self._watch, always=assignment.poses, first=lambda drawn: self._add_scene(assignment, drawn)
            )
            episode = Episode(assignment, simulator, sampler)
            row = episode.start()
        except Exception as error:
            return fault_from(error, assignment)
        self._simulated_s += time.perf_counter() - before
        self._episodes[assignment.environment] = episode
        return row

    def _add_scene(self, assignment: Assignment, simulator: Simulator) -> None:
        if has_terrain(simulator.model):
            self._scenes.append((assignment, export_scene(simulator.model)))

    def _step(self, episode: Episode, action: Float32Array) -> Row | Fault:
        try:
            share = self._shares.pop(episode.assignment.environment, None) if self._shares else None
            row = (
                episode.step(action, share)
                if self._injection is None
                else self._injected_step(episode, action, share)
            )
        except Exception as error:
            # The simulator is dropped: nobody knows what state it is in.
            del self._episodes[episode.assignment.environment]
            return fault_from(error, episode.assignment)
        if episode.finished:
            self._free(episode.assignment.environment)
        return row

    def _injected_step(self, episode: Episode, action: Float32Array, share: Share | None) -> Row:
        kind = None if self._injection is None else self._injection.due()
        if kind == "fault":
            raise RuntimeError("injected")
        row = episode.step(action, share)
        if kind != "unstable":
            return row
        episode.finished = True
        return row._replace(flags=STEP_FLAGS["unstable"], poses=None)

    def _free(self, environment: int) -> None:
        """Ends whatever an environment was doing or was about to do."""
        self._starts = deque(each for each in self._starts if each.environment != environment)
        self._actions.pop(environment, None)
        self._shares.pop(environment, None)
        episode = self._episodes.pop(environment, None)
        if episode is not None:
            self._pool.give_back(episode.simulator)
