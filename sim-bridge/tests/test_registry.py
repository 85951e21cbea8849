import subprocess
import sys

import pytest
from dm_control import suite
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP

from sim_bridge.errors import SimulatorError
from sim_bridge.registry import DMCONTROL_NAMES, METAWORLD_NAMES, TASK_IDS, canonical_task, make_simulator


def test_every_task_of_both_packages_is_registered_and_no_other() -> None:
    assert {f"{name}-v3" for name in METAWORLD_NAMES} == set(ALL_V3_ENVIRONMENTS)
    assert set(DMCONTROL_NAMES) == {f"{domain}-{task}" for domain, task in suite.ALL_TASKS}
    assert len(TASK_IDS) == len(set(TASK_IDS)) == 101


def test_every_metaworld_task_has_an_expert() -> None:
    assert set(ENV_POLICY_MAP) >= {f"{name}-v3" for name in METAWORLD_NAMES}


@pytest.mark.parametrize("name", METAWORLD_NAMES)
def test_v2_names_mean_their_v3_successors(name: str) -> None:
    assert canonical_task(f"metaworld/{name}-v2") == f"metaworld/{name}-v3"


@pytest.mark.parametrize("task", TASK_IDS)
def test_ids_are_their_own_canonical_form(task: str) -> None:
    assert canonical_task(task) == task


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("metaworld/rech-v3", "metaworld/reach-v3"),
        ("metaworld/pick-plce-v2", "metaworld/pick-place-v3"),
        ("dmcontrol/walker_walk", "dmcontrol/walker-walk"),
        ("dmcontrol/reacher-esy", "dmcontrol/reacher-easy"),
        ("reach-v3", "metaworld/reach-v3"),
    ],
)
def test_an_unknown_id_gets_the_closest_one(typed: str, suggested: str) -> None:
    with pytest.raises(SimulatorError, match=f"did you mean {suggested}") as caught:
        make_simulator(typed)
    assert caught.value.code == "L2M_TASK_UNKNOWN"


def test_importing_the_worker_imports_no_simulator() -> None:
    """A worker says hello before it pays for them, and a missing package is a readable error."""
    script = (
        "import sys, sim_bridge.__main__\n"
        "print([name for name in ('metaworld', 'dm_control.suite', 'gymnasium') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"
    assert output.stderr == ""
