"""Every task by its id; simulators are imported when the first one is made."""

import difflib

from sim_bridge.errors import SimulatorError
from sim_bridge.simulator import Simulator

# Written out, so that a worker says hello before half a second of imports; a test compares with the packages.
METAWORLD_NAMES = (
    "assembly", "basketball", "bin-picking", "box-close", "button-press-topdown",
    "button-press-topdown-wall", "button-press", "button-press-wall", "coffee-button", "coffee-pull",
    "coffee-push", "dial-turn", "disassemble", "door-close", "door-lock", "door-open", "door-unlock",
    "hand-insert", "drawer-close", "drawer-open", "faucet-open", "faucet-close", "hammer",
    "handle-press-side", "handle-press", "handle-pull-side", "handle-pull", "lever-pull",
    "pick-place-wall", "pick-out-of-hole", "pick-place", "plate-slide", "plate-slide-side",
    "plate-slide-back", "plate-slide-back-side", "peg-insert-side", "peg-unplug-side", "soccer",
    "stick-push", "stick-pull", "push", "push-wall", "push-back", "reach", "reach-wall", "shelf-place",
    "sweep-into", "sweep", "window-open", "window-close",
)  # fmt: skip

DMCONTROL_NAMES = (
    "acrobot-swingup", "acrobot-swingup_sparse", "ball_in_cup-catch", "cartpole-balance",
    "cartpole-balance_sparse", "cartpole-swingup", "cartpole-swingup_sparse", "cartpole-two_poles",
    "cartpole-three_poles", "cheetah-run", "dog-stand", "dog-walk", "dog-trot", "dog-run", "dog-fetch",
    "finger-spin", "finger-turn_easy", "finger-turn_hard", "fish-upright", "fish-swim", "hopper-stand",
    "hopper-hop", "humanoid-stand", "humanoid-walk", "humanoid-run", "humanoid-run_pure_state",
    "humanoid_CMU-stand", "humanoid_CMU-walk", "humanoid_CMU-run", "lqr-lqr_2_1", "lqr-lqr_6_2",
    "manipulator-bring_ball", "manipulator-bring_peg", "manipulator-insert_ball",
    "manipulator-insert_peg", "pendulum-swingup", "point_mass-easy", "point_mass-hard",
    "quadruped-walk", "quadruped-run", "quadruped-escape", "quadruped-fetch", "reacher-easy",
    "reacher-hard", "stacker-stack_2", "stacker-stack_4", "swimmer-swimmer6", "swimmer-swimmer15",
    "walker-stand", "walker-walk", "walker-run",
)  # fmt: skip

TASK_IDS = (
    *(f"metaworld/{name}-v3" for name in METAWORLD_NAMES),
    *(f"dmcontrol/{name}" for name in DMCONTROL_NAMES),
)

_ALIASES = {f"metaworld/{name}-v2": f"metaworld/{name}-v3" for name in METAWORLD_NAMES}


def canonical_task(task: str) -> str:
    """The id under which a task is registered; `-v2` names of Meta-World mean their v3 successors.

    Raises:
        SimulatorError: L2M_TASK_UNKNOWN, with the closest name.
    """
    canonical = _ALIASES.get(task, task)
    if canonical in TASK_IDS:
        return canonical
    closest = difflib.get_close_matches(task, (*TASK_IDS, *_ALIASES), n=1, cutoff=0.0)
    suggestion = _ALIASES.get(closest[0], closest[0])
    raise SimulatorError("L2M_TASK_UNKNOWN", f"{task} (did you mean {suggestion}?)")


def make_simulator(task: str) -> Simulator:
    """Loads a task's simulator; takes 0.1 to 1 second.

    Args:
        task: An id or alias.

    Raises:
        SimulatorError: L2M_TASK_UNKNOWN, with the closest name.
    """
    domain, _, name = canonical_task(task).partition("/")
    if domain == "metaworld":
        from sim_bridge.metaworld_simulator import MetaWorldSimulator

        return MetaWorldSimulator(name)
    from sim_bridge.dmcontrol_simulator import DmControlSimulator

    suite_domain, _, suite_task = name.partition("-")
    return DmControlSimulator(suite_domain, suite_task)
