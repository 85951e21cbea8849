"""The worker in a thread, against a real ROUTER socket."""

import time
from typing import Any

import numpy as np
import pytest

from fake_server import FakeServer, WorkerThread, wait_until
from sim_bridge.fault_injection import FaultInjection
from sim_bridge.registry import TASK_IDS, make_simulator
from sim_bridge.scene import scene_hash
from sim_bridge.wire import STEP_FLAGS

CARTPOLE = "dmcontrol/cartpole-balance"
REACHER = "dmcontrol/reacher-easy"
REACH = "metaworld/reach-v3"
EXPERT = {"kind": "expert", "noise": 0.3, "noiseSeed": 5}


def finish(server: FakeServer, environment: int, episode: int) -> None:
    server.send({"type": "release", "environment": environment, "episode": episode})


def test_hello_names_versions_and_all_tasks(server: FakeServer) -> None:
    with WorkerThread(server, environments=3):
        hello = server.welcome()
    assert hello["tasks"] == list(TASK_IDS)
    assert hello["environments"] == 3
    assert hello["engine"] == "python"
    assert set(hello["versions"]) == {"python", "mujoco", "metaworld", "dm_control", "numpy"}


@pytest.mark.usefixtures("worker")
def test_describe_is_answered_and_an_unknown_task_gets_a_suggestion(server: FakeServer) -> None:
    server.send({"type": "describe", "task": "metaworld/reach-v2"})
    assert server.receive("described")["spec"]["task"] == REACH
    server.send({"type": "describe", "task": "dmcontrol/walker-wlk"})
    fault = server.receive("fault")
    assert fault["code"] == "L2M_TASK_UNKNOWN"
    assert "did you mean dmcontrol/walker-walk?" in fault["message"]
    assert "environment" not in fault


@pytest.mark.usefixtures("worker")
def test_episode_runs_from_start_to_horizon(server: FakeServer) -> None:
    server.assign(2, 7, CARTPOLE, horizon=3)
    row = server.receive("observed")
    assert (row["environments"].tolist(), row["episodes"].tolist(), row["steps"].tolist()) == ([2], [7], [0])
    assert row["rewards"].tolist() == [0.0]
    assert row["executed"].tolist() == [[0.0]]
    flags: list[int] = []
    for step in (1, 2, 3):
        server.act((2, 7, [3.0]))
        row = server.receive("observed")
        assert row["steps"].tolist() == [step]
        assert row["executed"].tolist() == [[1.0]]
        flags.append(int(row["flags"][0]))
    assert flags == [0, 0, STEP_FLAGS["truncated"]]


@pytest.mark.usefixtures("worker")
def test_rows_are_the_simulators_own_numbers_whatever_runs_beside(server: FakeServer) -> None:
    actions = np.random.default_rng(0).uniform(-1, 1, (10, 2)).astype(np.float32)
    server.assign(0, 1, REACHER)
    server.assign(1, 2, CARTPOLE)
    server.assign(2, 3, REACHER, start=8)
    observations = [server.receive("observed")["observations"][0]]
    server.receive("observed")
    server.receive("observed")
    rewards: list[float] = []
    for action in actions:
        server.act((2, 3, [0.1, 0.2]), (0, 1, action), (1, 2, [0.5, 0.0]))
        row = server.receive_rows(0, 1, 2)[0]
        observations.append(row["observations"][:6])
        rewards.append(row["rewards"])
    simulator = make_simulator(REACHER)
    expected = [simulator.start("l2m-paper", 3, 7)]
    transitions = [simulator.step(action) for action in actions]
    expected += [transition.observation for transition in transitions]
    assert np.array(observations).tobytes() == np.array(expected, dtype=np.float32).tobytes()
    assert rewards == [transition.reward for transition in transitions]


@pytest.mark.usefixtures("worker")
def test_rows_of_different_tasks_are_padded_with_zeros(server: FakeServer) -> None:
    server.assign(0, 1, CARTPOLE)
    server.assign(1, 2, "dmcontrol/walker-walk")
    server.assign(2, 3, CARTPOLE)
    server.receive_rows(0, 1, 2)
    server.act((0, 1, np.full(6, 0.5)), (1, 2, np.full(6, 0.5)))
    tick = server.receive("observed")
    assert tick["environments"].tolist() == [0, 1]
    assert tick["observations"].shape == (2, 24)
    assert not tick["observations"][0, 5:].any()
    assert tick["executed"].tolist() == [[0.5, 0, 0, 0, 0, 0], [0.5] * 6]


@pytest.mark.usefixtures("worker")
def test_a_tick_takes_half_of_the_environments_and_those_first_that_wait_longest(server: FakeServer) -> None:
    """So the server decides for one half while the other is simulated."""
    for environment in range(4):
        server.assign(environment, environment + 1, CARTPOLE)
    server.receive_rows(0, 1, 2, 3)
    server.act(*((environment, environment + 1, [0.0]) for environment in (3, 1, 0, 2)))
    assert server.receive("observed")["environments"].tolist() == [3, 1]
    assert server.receive("observed")["environments"].tolist() == [0, 2]


@pytest.mark.usefixtures("worker")
def test_a_tick_does_not_wait_for_an_environment_without_an_action(server: FakeServer) -> None:
    server.assign(0, 1, CARTPOLE)
    server.assign(1, 2, CARTPOLE)
    server.receive("observed")
    server.receive("observed")
    for step in (1, 2, 3):
        server.act((1, 2, [0.0]))
        tick = server.receive("observed")
        assert (tick["environments"].tolist(), tick["steps"].tolist()) == ([1], [step])
    server.act((0, 1, [0.0]), (1, 2, [0.0]))
    rows = server.receive_rows(0, 1)
    assert (rows[0]["steps"], rows[1]["steps"]) == (1, 4)


def test_late_and_repeated_actions_are_ignored_and_counted(server: FakeServer, worker: WorkerThread) -> None:
    server.assign(0, 1, CARTPOLE)
    server.receive("observed")
    finish(server, 0, 1)
    server.assign(0, 2, CARTPOLE)
    server.receive("observed")
    server.act((0, 1, [0.0]), (3, 9, [0.0]))
    wait_until(lambda: worker.worker.ignored.late == 2)
    assert server.hears_nothing_but_heartbeats(0.2)
    server.act((0, 2, [0.25]), (0, 2, [0.75]))
    assert server.receive("observed")["executed"].tolist() == [[0.25]]
    assert worker.worker.ignored.repeated == 1
    finish(server, 0, 1)
    server.act((0, 2, [0.5]))
    assert server.receive("observed")["steps"].tolist() == [2]


def test_release_frees_the_environment(server: FakeServer, worker: WorkerThread) -> None:
    server.assign(0, 1, CARTPOLE)
    server.receive("observed")
    finish(server, 0, 1)
    server.act((0, 1, [0.0]))
    wait_until(lambda: worker.worker.ignored.late == 1)
    assert server.hears_nothing_but_heartbeats(0.2)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"task": REACH, "horizon": 501}, "L2M_TASK_UNSUPPORTED"),
        ({"task": REACH, "protocol": "official-v3", "start": 50}, "L2M_START_UNKNOWN"),
        ({"actor": EXPERT}, "L2M_TASK_UNSUPPORTED"),
        ({"task": "dmcontrol/nothing"}, "L2M_TASK_UNKNOWN"),
        ({"environment": 4}, "L2M_MESSAGE_UNEXPECTED"),
    ],
)
def test_an_impossible_assignment_is_a_fault_of_that_episode(
    server: FakeServer, changes: dict[str, Any], code: str
) -> None:
    assignment: dict[str, Any] = {"environment": 1, "episode": 5, "task": CARTPOLE}
    server.assign(**(assignment | changes))
    fault = server.receive("fault")
    assert (fault["code"], fault["episode"]) == (code, 5)
    server.assign(1, 6, CARTPOLE)
    assert server.receive("observed")["episodes"].tolist() == [6]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("action", [[np.nan, 0.0], [np.inf, 0.0], [0.0]], ids=["nan", "infinite", "short"])
def test_a_bad_action_is_a_fault_of_that_episode(server: FakeServer, action: list[float]) -> None:
    server.assign(0, 1, REACHER)
    server.receive("observed")
    server.act((0, 1, action))
    fault = server.receive("fault")
    assert (fault["code"], fault["environment"], fault["episode"]) == ("L2M_MESSAGE_UNEXPECTED", 0, 1)


def test_a_failing_simulator_is_a_fault_and_the_others_go_on(server: FakeServer) -> None:
    with WorkerThread(server, injection=FaultInjection("fault", after_steps=2)):
        server.welcome()
        for environment in range(3):
            server.assign(environment, environment + 1, CARTPOLE)
            server.receive("observed")
        server.act((0, 1, [0.0]), (1, 2, [0.0]), (2, 3, [0.0]))
        server.receive_rows(0, 1)
        fault = server.receive("fault")
        assert (fault["code"], fault["environment"], fault["episode"]) == ("L2M_SIMULATOR_FAULT", 2, 3)
        assert "Traceback" not in fault["message"]
        server.act((0, 1, [0.0]), (1, 2, [0.0]))
        assert [row["steps"] for row in server.receive_rows(0, 1).values()] == [2, 2]
        server.assign(2, 4, CARTPOLE)
        assert server.receive("observed")["episodes"].tolist() == [4]


def test_an_unstable_step_ends_the_episode(server: FakeServer, worker: WorkerThread) -> None:
    server.assign(0, 1, CARTPOLE)
    server.receive("observed")
    running: Any = vars(vars(worker.worker)["_environments"])["_episodes"][0]
    running.simulator.data.qvel[:] = np.nan
    server.act((0, 1, [0.0]))
    row = server.receive("observed")
    assert row["flags"].tolist() == [STEP_FLAGS["unstable"]]
    assert not row["observations"].any()
    server.act((0, 1, [0.0]))
    wait_until(lambda: worker.worker.ignored.late == 1)


@pytest.mark.usefixtures("worker")
def test_expert_rows_have_the_clean_action_as_target(server: FakeServer) -> None:
    server.assign(0, 1, REACH, actor=EXPERT)
    server.assign(1, 2, REACH)
    server.assign(2, 3, REACH)
    start = server.receive("observed")
    server.receive_rows(1, 2)
    assert start["targets"].tolist() == [[0.0] * 4]
    simulator = make_simulator(REACH)
    observation = simulator.start("l2m-paper", 3, 7)
    noise = np.random.Generator(np.random.PCG64(5))
    for _ in range(5):
        server.act((0, 1, np.full(4, 0.9)), (2, 3, np.zeros(4)), (1, 2, np.zeros(4)))
        tick = server.receive("observed")
        server.receive_rows(1)
        raw = simulator.expert_action(observation)
        executed = np.clip(raw + 0.3 * noise.standard_normal(4), -1, 1).astype(np.float32)
        assert tick["executed"][0].tobytes() == executed.tobytes()
        assert tick["targets"][0].tobytes() == np.clip(raw, -1, 1).tobytes()
        assert not tick["targets"][1].any()
        observation = simulator.step(executed).observation
        assert tick["observations"][0].tobytes() == observation.astype(np.float32).tobytes()


@pytest.mark.usefixtures("worker")
def test_executed_actions_of_an_expert_replay_its_episode(server: FakeServer) -> None:
    """What is recorded is enough to play the episode again."""
    server.assign(0, 1, REACH, actor=EXPERT)
    observations = [server.receive("observed")["observations"][0]]
    executed: list[Any] = []
    for _ in range(8):
        server.act((0, 1, np.zeros(4)))
        tick = server.receive("observed")
        executed.append(tick["executed"][0])
        observations.append(tick["observations"][0])
    server.assign(1, 2, REACH)
    again = [server.receive("observed")["observations"][0]]
    for action in executed:
        server.act((1, 2, action))
        again.append(server.receive("observed")["observations"][0])
    assert np.array(again).tobytes() == np.array(observations).tobytes()


@pytest.mark.usefixtures("worker")
def test_poses_come_at_start_and_end_and_not_too_often_between(server: FakeServer) -> None:
    server.assign(0, 1, CARTPOLE, horizon=3)
    assert "poses" not in server.receive("observed")
    finish(server, 0, 1)
    server.send({"type": "watch", "posesHz": 0.01})
    server.assign(0, 2, CARTPOLE, horizon=4)
    server.assign(1, 3, REACHER, horizon=9)
    first = server.receive("observed")
    count = int(first["poseCounts"][0])
    assert first["poses"].shape == (count, 7)
    np.testing.assert_allclose(np.linalg.norm(first["poses"][:, 3:], axis=1), 1.0, atol=1e-5)
    server.receive("observed")
    with_poses: list[list[int]] = []
    for _ in range(4):
        server.act((0, 2, [0.0, 0.0]), (1, 3, [0.0, 0.0]))
        rows = server.receive_rows(0, 1)
        with_poses.append([int(rows[environment]["flags"]) & STEP_FLAGS["poses"] for environment in (0, 1)])
    assert with_poses == [[0, 0], [0, 0], [0, 0], [STEP_FLAGS["poses"], 0]]
    server.send({"type": "watch", "posesHz": 240})
    time.sleep(0.01)
    server.act((1, 3, [0.0, 0.0]))
    assert server.receive("observed")["flags"].tolist() == [STEP_FLAGS["poses"]]


@pytest.mark.usefixtures("worker")
def test_each_terrain_is_sent_with_the_first_poses_of_its_episode(server: FakeServer) -> None:
    server.send({"type": "watch", "posesHz": 0.001})
    hashes: set[str] = set()
    for episode, start in ((1, 0), (2, 1)):
        server.assign(0, episode, "dmcontrol/quadruped-escape", start=start)
        assert "poses" in server.receive("observed")
        scene = server.receive("scene")
        assert (scene["episode"], scene["task"]) == (episode, "dmcontrol/quadruped-escape")
        assert scene["hash"] == scene_hash(scene["manifest"].tobytes(), scene["assets"].tobytes())
        hashes.add(scene["hash"])
    assert len(hashes) == 2


@pytest.mark.usefixtures("worker")
def test_scene_is_sent_with_its_hash(server: FakeServer) -> None:
    server.send({"type": "want-scene", "task": "dmcontrol/cartpole-balance"})
    scene = server.receive("scene")
    assert scene["hash"] == scene_hash(scene["manifest"].tobytes(), scene["assets"].tobytes())
    server.send({"type": "want-scene", "task": "dmcontrol/cartpole-blance"})
    assert server.receive("fault")["code"] == "L2M_TASK_UNKNOWN"


@pytest.mark.usefixtures("worker")
def test_a_new_assignment_replaces_the_episode_of_its_environment(server: FakeServer) -> None:
    server.assign(0, 1, CARTPOLE)
    server.assign(0, 2, REACHER)
    row = server.receive("observed")
    if row["episodes"].tolist() == [1]:
        row = server.receive("observed")
    assert (row["episodes"].tolist(), row["steps"].tolist()) == ([2], [0])
    server.act((0, 1, [0.5, 0.0]), (0, 2, [0.25, 0.0]))
    assert server.receive("observed")["executed"].tolist() == [[0.25, 0.0]]
