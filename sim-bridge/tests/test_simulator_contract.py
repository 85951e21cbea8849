"""What must hold for every task there is."""

import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from playing import Start, play, play_expert, random_actions
from sim_bridge.codec import decode_worker, encode
from sim_bridge.errors import SimulatorError
from sim_bridge.model_snapshot import MUTATED_FIELDS
from sim_bridge.registry import TASK_IDS, make_simulator
from sim_bridge.simulator import Simulator
from sim_bridge.wire import LIMITS

if TYPE_CHECKING:
    from sim_bridge.metaworld_simulator import MetaWorldSimulator

STEPS = 15
START = Start()
GOLDEN: dict[str, Any] = json.loads(
    Path(__file__).with_name("golden").joinpath("metaworld_starts.json").read_text(encoding="utf-8")
)
METAWORLD_IDS = [task for task in TASK_IDS if task.startswith("metaworld/")]
# Its reward is a quadratic cost, the only one of the suite that is not between 0 and 1.
COST_TASKS = {"dmcontrol/lqr-lqr_2_1", "dmcontrol/lqr-lqr_6_2"}


@pytest.fixture(scope="module", params=TASK_IDS)
def simulator(request: pytest.FixtureRequest) -> Simulator:
    return make_simulator(request.param)


@pytest.fixture(scope="module")
def fresh_arrays(simulator: Simulator) -> dict[str, bytes]:
    return model_arrays(simulator)


@pytest.fixture(scope="module")
def played(simulator: Simulator, fresh_arrays: dict[str, bytes]) -> Any:
    assert fresh_arrays
    return play(simulator, START, random_actions(simulator, STEPS, seed=1))


def model_arrays(simulator: Simulator) -> dict[str, bytes]:
    """Digests of all arrays of the model, by field."""
    model = simulator.model
    arrays = {name: getattr(model, name) for name in dir(model) if not name.startswith("_")}
    return {
        name: hashlib.sha256(array.tobytes()).digest()
        for name, array in arrays.items()
        if isinstance(array, np.ndarray)
    }


def test_specification_can_be_sent(simulator: Simulator) -> None:
    message = {"type": "described", "spec": simulator.spec.as_message()}
    assert decode_worker(encode(message)) == message
    assert simulator.spec.observation_size <= LIMITS["observationSize"]
    assert simulator.spec.action_size <= LIMITS["actionSize"]


def test_observations_match_the_specification(simulator: Simulator, played: Any) -> None:
    assert played.observations.shape == (STEPS + 1, simulator.spec.observation_size)
    assert played.observations.dtype == np.float64
    assert np.isfinite(played.observations).all()


def test_rewards_and_flags_are_in_range(simulator: Simulator, played: Any) -> None:
    low, high = (0.0, 10.0) if simulator.spec.task.startswith("metaworld/") else (0.0, 1.0)
    if simulator.spec.task in COST_TASKS:
        low = -math.inf
    assert all(type(reward) is float and low <= reward <= high for reward in played.rewards)
    assert all(type(success) is bool for success in played.successes)
    assert simulator.spec.reports_success or not any(played.successes)
    assert not any(played.terminated)


def test_reused_object_repeats_an_episode_bit_by_bit(simulator: Simulator, played: Any) -> None:
    play_expert(simulator, Start("official-v3", seed=11, index=2), steps=60)
    play(simulator, Start(seed=5, index=4), random_actions(simulator, 25, seed=2))
    again = play(simulator, START, random_actions(simulator, STEPS, seed=1))
    assert again.same_bits_as(played)


def test_fresh_object_repeats_an_episode_bit_by_bit_beside_another(simulator: Simulator, played: Any) -> None:
    actions = random_actions(simulator, STEPS, seed=1)
    other_actions = random_actions(simulator, STEPS, seed=9)
    other = make_simulator(simulator.spec.task)
    simulator.start("official-v3", 8, 8)
    observations = [other.start(START.protocol, START.seed, START.index)]
    for action, other_action in zip(actions, other_actions, strict=True):
        simulator.step(other_action)
        observations.append(other.step(action).observation)
    assert np.array(observations).tobytes() == played.observations.tobytes()


@pytest.mark.parametrize("protocol", ["official-v3", "l2m-paper"])
def test_start_depends_on_seed_and_index(simulator: Simulator, protocol: Any) -> None:
    starts = [
        simulator.start(protocol, seed, index).tobytes() for seed, index in ((1, 0), (1, 1), (2, 0), (1, 0))
    ]
    assert len(set(starts[:3])) == 3
    assert starts[3] == starts[0]


def test_global_generators_are_neither_used_nor_changed(simulator: Simulator, played: Any) -> None:
    np.random.seed(99)  # noqa: NPY002
    before = repr(np.random.get_state())  # noqa: NPY002
    again = play(simulator, START, random_actions(simulator, STEPS, seed=1))
    assert repr(np.random.get_state()) == before  # noqa: NPY002
    assert again.same_bits_as(played)


@pytest.mark.parametrize("simulator", [task for task in TASK_IDS if task not in COST_TASKS], indirect=True)
def test_only_fields_that_are_restored_change_in_the_model(
    simulator: Simulator, fresh_arrays: dict[str, bytes]
) -> None:
    play_expert(simulator, Start("official-v3", seed=1, index=3), steps=20)
    changed = {name for name, digest in model_arrays(simulator).items() if digest != fresh_arrays[name]}
    assert changed <= set(MUTATED_FIELDS)


def test_expert_acts_where_there_is_one(simulator: Simulator) -> None:
    observation = simulator.start("l2m-paper", 0, 0)
    if simulator.spec.has_expert:
        action = simulator.expert_action(observation)
        assert action.shape == (simulator.spec.action_size,)
        assert action.dtype == np.float32
        assert np.isfinite(action).all()
    else:
        with pytest.raises(SimulatorError, match="no scripted expert"):
            simulator.expert_action(observation)


@pytest.mark.parametrize("simulator", METAWORLD_IDS, indirect=True)
def test_official_goals_of_metaworld_are_the_benchmarks_own(simulator: Simulator) -> None:
    vectors = cast("MetaWorldSimulator", simulator).official_starts(GOLDEN["seed"])
    digest = hashlib.sha256(np.array(vectors, dtype="<f8").tobytes()).hexdigest()
    assert digest == GOLDEN["digests"][simulator.spec.task.removeprefix("metaworld/")]


@pytest.mark.parametrize("simulator", METAWORLD_IDS, indirect=True)
def test_goal_of_metaworld_is_visible(simulator: Simulator) -> None:
    observation = simulator.start("official-v3", 1, 5)
    assert np.abs(observation[36:39]).max() > 0.0
    assert observation[18:36].tobytes() == observation[:18].tobytes()
    assert np.array_equal(simulator.step(np.zeros(4, np.float32)).observation[18:36], observation[:18])
