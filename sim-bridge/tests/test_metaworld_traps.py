"""Ways in which Meta-World surprises its users, and what the simulator does about each.

Where it matters, a test first shows that the trap is there in the pinned package: when an upgrade removes it,
the test says so.
"""

import pickle
from typing import Any

import metaworld
import numpy as np
import pytest
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

from playing import Start, play, play_expert, random_actions
from sim_bridge.errors import SimulatorError
from sim_bridge.metaworld_simulator import MAX_HORIZON, MetaWorldSimulator

NOTHING = np.zeros(4, dtype=np.float32)


@pytest.fixture(scope="module")
def reach() -> MetaWorldSimulator:
    return MetaWorldSimulator("reach-v3")


@pytest.fixture(scope="module")
def reach_tasks() -> Any:
    return metaworld.MT1("reach-v3", seed=42).train_tasks


def official_environment(task: Any) -> Any:
    environment: Any = ALL_V3_ENVIRONMENTS["reach-v3"]()
    environment.set_task(task)
    return environment


def test_reset_of_the_package_ignores_its_seed(reach: MetaWorldSimulator, reach_tasks: Any) -> None:
    environment = official_environment(reach_tasks[0])
    first, _ = environment.reset(seed=1)
    second, _ = environment.reset(seed=2)
    assert first.tobytes() == second.tobytes()
    assert reach.start("official-v3", 1, 0).tobytes() != reach.start("official-v3", 2, 0).tobytes()


def test_official_episode_is_the_one_of_a_fresh_official_environment(
    reach: MetaWorldSimulator, reach_tasks: Any
) -> None:
    environment = official_environment(reach_tasks[7])
    observation, _ = environment.reset()
    assert reach.start("official-v3", 42, 7).tobytes() == observation.tobytes()
    for action in random_actions(reach, 30, seed=5):
        official, reward, _, _, info = environment.step(action)
        ours = reach.step(action)
        assert ours.observation.tobytes() == official.tobytes()
        assert (ours.reward, ours.success) == (reward, bool(info["success"]))


def test_official_start_vectors_are_the_benchmarks_own(reach: MetaWorldSimulator, reach_tasks: Any) -> None:
    official = [pickle.loads(task.data)["rand_vec"] for task in reach_tasks]  # noqa: S301
    assert np.array_equal(reach.official_starts(42), official)


def test_official_protocol_has_fifty_starts(reach: MetaWorldSimulator) -> None:
    reach.start("official-v3", 42, 49)
    reach.start("l2m-paper", 42, 50)
    with pytest.raises(SimulatorError) as caught:
        reach.start("official-v3", 42, 50)
    assert caught.value.code == "L2M_START_UNKNOWN"


def test_goal_is_hidden_by_the_package_and_shown_here(reach: MetaWorldSimulator) -> None:
    hidden: Any = ALL_V3_ENVIRONMENTS["reach-v3"]()
    hidden._freeze_rand_vec, hidden._set_task_called = False, True
    observation, _ = hidden.reset()
    assert not observation[36:].any()
    assert reach.start("l2m-paper", 0, 0)[36:].all()


def test_step_after_500_raises_in_the_package_so_longer_horizons_are_refused(
    reach: MetaWorldSimulator,
) -> None:
    reach.start("l2m-paper", 0, 0)
    for _ in range(MAX_HORIZON):
        reach.step(NOTHING)
    with pytest.raises(ValueError, match="reset the env manually"):
        reach.step(NOTHING)
    assert reach.max_horizon == MAX_HORIZON
    reach.start("l2m-paper", 0, 0)
    assert not reach.step(NOTHING).unstable


def test_success_never_terminates(reach: MetaWorldSimulator) -> None:
    played = play_expert(reach, Start(), steps=120)
    assert played.successes[-1]
    first = played.successes.index(True)
    assert first < 100
    assert not any(played.terminated)


def test_success_at_the_end_may_differ_from_success_at_any_time() -> None:
    """Why every step's bit goes over the wire: this expert pushes the lever and lets it go."""
    played = play_expert(MetaWorldSimulator("handle-press-v3"), Start("official-v3", 42, 0), steps=200)
    assert any(played.successes)
    assert not played.successes[-1]


def test_unstable_physics_is_flagged_where_the_package_returns_a_plausible_step(
    reach: MetaWorldSimulator, reach_tasks: Any
) -> None:
    environment = official_environment(reach_tasks[0])
    environment.reset()
    environment.data.qvel[:] = 1e14
    observation, _, terminated, truncated, _ = environment.step(NOTHING)
    assert np.isfinite(observation).all()
    assert not terminated
    assert not truncated

    reach.start("official-v3", 42, 0)
    assert not reach.step(NOTHING).unstable
    reach.data.qvel[:] = 1e14
    transition = reach.step(NOTHING)
    assert transition.unstable
    assert transition.reward == 0.0
    assert not transition.observation.any()


def test_unstable_episode_leaves_no_trace(reach: MetaWorldSimulator) -> None:
    actions = random_actions(reach, 20, seed=1)
    before = play(reach, Start(), actions)
    reach.data.qpos[:] = np.nan
    assert reach.step(NOTHING).unstable
    assert play(reach, Start(), actions).same_bits_as(before)


def test_hidden_state_of_an_earlier_episode_leaves_no_trace(reach: MetaWorldSimulator) -> None:
    """Warm starts of the solver, the mocap body, model positions and the environment's own memory."""
    actions = random_actions(reach, 20, seed=1)
    before = play(reach, Start(), actions)
    environment: Any = vars(reach)["_environment"]
    reach.data.qacc_warmstart[:] = 3.0
    reach.data.mocap_pos[:] = 0.3
    reach.model.body_pos[:] += 0.01
    reach.model.site_pos[:] += 0.01
    environment._prev_obs = np.full(18, 9.0)
    environment._last_stable_obs = np.full(39, 9.0)
    environment.hand_init_pos[:] = 0.4
    environment.left_behind = True
    assert play(reach, Start(), actions).same_bits_as(before)
    assert not hasattr(environment, "left_behind")


def test_first_observation_holds_no_frame_of_an_earlier_episode(reach: MetaWorldSimulator) -> None:
    """The second half of an observation is the previous frame: at the start, the same frame again."""
    play_expert(reach, Start(index=1), steps=30)
    observation = reach.start("l2m-paper", 0, 2)
    assert observation[18:36].tobytes() == observation[:18].tobytes()
