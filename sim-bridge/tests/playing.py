"""Plays episodes for tests and compares them bit by bit."""

from dataclasses import dataclass

import numpy as np

from sim_bridge.simulator import EvaluationProtocol, Float32Array, Float64Array, Simulator


@dataclass(frozen=True)
class Start:
    protocol: EvaluationProtocol = "l2m-paper"
    seed: int = 3
    index: int = 7


@dataclass(frozen=True)
class Played:
    observations: Float64Array
    """[steps + 1, W]"""
    rewards: list[float]
    successes: list[bool]
    terminated: list[bool]

    def same_bits_as(self, other: "Played") -> bool:
        return (
            self.observations.tobytes() == other.observations.tobytes()
            and self.rewards == other.rewards
            and self.successes == other.successes
        )


def random_actions(simulator: Simulator, steps: int, seed: int) -> Float32Array:
    size = simulator.spec.action_size
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (steps, size)).astype(np.float32)


def play(simulator: Simulator, start: Start, actions: Float32Array) -> Played:
    observations = [simulator.start(start.protocol, start.seed, start.index)]
    transitions = [simulator.step(action) for action in actions]
    assert not any(transition.unstable for transition in transitions)
    return Played(
        np.array([*observations, *(transition.observation for transition in transitions)]),
        [transition.reward for transition in transitions],
        [transition.success for transition in transitions],
        [transition.terminated for transition in transitions],
    )


def play_expert(simulator: Simulator, start: Start, steps: int) -> Played:
    """An episode that touches things, where there is an expert; else a random one."""
    if not simulator.spec.has_expert:
        return play(simulator, start, random_actions(simulator, steps, seed=start.index))
    observations = [simulator.start(start.protocol, start.seed, start.index)]
    rewards: list[float] = []
    successes: list[bool] = []
    for _ in range(steps):
        action = np.clip(simulator.expert_action(observations[-1]), -1.0, 1.0)
        transition = simulator.step(action)
        observations.append(transition.observation)
        rewards.append(transition.reward)
        successes.append(transition.success)
    return Played(np.array(observations), rewards, successes, [False] * steps)
