"""Ways in which the Control Suite surprises its users, and what the simulator does about each."""

from typing import Any

import numpy as np
import pytest
from dm_control import suite

from playing import Start, play, random_actions
from sim_bridge.dmcontrol_simulator import DmControlSimulator
from sim_bridge.mujoco_api import forward


@pytest.fixture(scope="module")
def cartpole() -> DmControlSimulator:
    return DmControlSimulator("cartpole", "balance")


def control_of(simulator: DmControlSimulator) -> Any:
    return np.array(simulator.data.ctrl)


def test_seeding_numpy_does_nothing(cartpole: DmControlSimulator) -> None:
    starts: list[bytes] = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        starts.append(cartpole.start("l2m-paper", 5, 0).tobytes())
    assert starts[0] == starts[1]


def test_start_is_the_suites_own_with_a_generator_of_seed_and_index() -> None:
    """Against a freshly loaded task that is given the generator in the only way the suite takes one."""
    ours = DmControlSimulator("finger", "turn_hard").start("official-v3", 12, 34)
    random = np.random.RandomState([12, 34])
    theirs: Any = suite.load("finger", "turn_hard", task_kwargs={"random": random}).reset().observation
    assert ours.tobytes() == np.concatenate([np.ravel(part) for part in theirs.values()]).tobytes()


def test_time_limit_of_the_suite_is_lifted(cartpole: DmControlSimulator) -> None:
    cartpole.start("l2m-paper", 0, 0)
    action = np.zeros(1, dtype=np.float32)
    assert not any(cartpole.step(action).terminated for _ in range(1005))
    assert cartpole.max_horizon is None


def test_lqr_is_another_model_for_each_start() -> None:
    simulator = DmControlSimulator("lqr", "lqr_2_1")
    simulator.start("l2m-paper", 0, 0)
    first = simulator.model.jnt_stiffness.copy()
    simulator.start("l2m-paper", 0, 1)
    assert not np.array_equal(simulator.model.jnt_stiffness, first)
    simulator.start("l2m-paper", 0, 0)
    assert np.array_equal(simulator.model.jnt_stiffness, first)


def test_lqr_alone_terminates() -> None:
    simulator = DmControlSimulator("lqr", "lqr_2_1")
    simulator.start("l2m-paper", 0, 0)
    assert not simulator.step(np.zeros(1, np.float32)).terminated
    simulator.data.qpos[:] = 0.0
    simulator.data.qvel[:] = 0.0
    forward(simulator.model, simulator.data)
    transition = simulator.step(np.zeros(1, np.float32))
    assert transition.terminated
    assert not transition.unstable


def test_actions_without_a_range_pass_through() -> None:
    simulator = DmControlSimulator("lqr", "lqr_2_1")
    simulator.start("l2m-paper", 0, 0)
    simulator.step(np.array([0.625], np.float32))
    assert control_of(simulator).tolist() == [0.625]


def test_actions_are_mapped_affinely_to_the_range_of_each_actuator() -> None:
    simulator = DmControlSimulator("quadruped", "walk")
    simulator.start("l2m-paper", 0, 0)
    low, high = simulator.model.actuator_ctrlrange.T
    assert not np.array_equal(high, np.ones(12))
    for action, expected in ((-1.0, low), (1.0, high), (0.0, (low + high) / 2)):
        simulator.step(np.full(12, action, np.float32))
        np.testing.assert_allclose(control_of(simulator), expected, rtol=0, atol=1e-12)


def test_actions_in_the_usual_range_are_not_touched(cartpole: DmControlSimulator) -> None:
    """An affine map from [-1, 1] to [-1, 1] would still round."""
    cartpole.start("l2m-paper", 0, 0)
    action = np.array([0.1], np.float32)
    cartpole.step(action)
    assert control_of(cartpole).tobytes() == action.astype(np.float64).tobytes()


@pytest.mark.parametrize(
    ("domain", "task", "parts"),
    [
        ("humanoid", "stand", {"head_height": 1, "joint_angles": 21}),
        ("manipulator", "bring_ball", {"arm_pos": 16}),
        ("finger", "turn_easy", {"dist_to_target": 1, "target_position": 2}),
    ],
)
def test_scalars_and_matrices_have_their_flattened_size(
    domain: str, task: str, parts: dict[str, int]
) -> None:
    sizes = {part.name: part.size for part in DmControlSimulator(domain, task).spec.observation}
    assert parts.items() <= sizes.items()


def test_quadruped_escape_needs_no_display_and_draws_new_terrain() -> None:
    simulator = DmControlSimulator("quadruped", "escape")
    simulator.start("l2m-paper", 0, 0)
    first = simulator.model.hfield_data.copy()
    simulator.start("l2m-paper", 0, 1)
    assert not np.array_equal(simulator.model.hfield_data, first)


def test_divergence_is_flagged_and_leaves_no_trace(cartpole: DmControlSimulator) -> None:
    actions = random_actions(cartpole, 20, seed=1)
    before = play(cartpole, Start(), actions)
    cartpole.data.qvel[:] = np.nan
    assert cartpole.step(actions[0]).unstable
    assert play(cartpole, Start(), actions).same_bits_as(before)


def test_numbers_too_large_for_the_wire_are_unstable(cartpole: DmControlSimulator) -> None:
    """As float32 they would be infinite."""
    cartpole.start("l2m-paper", 0, 0)
    task: Any = vars(cartpole)["_environment"].task
    original = task.get_observation

    def huge(physics: Any) -> dict[str, Any]:
        return {**original(physics), "velocity": np.array([1e39, 0.0])}

    task.get_observation = huge
    try:
        assert cartpole.step(np.zeros(1, np.float32)).unstable
    finally:
        task.get_observation = original
