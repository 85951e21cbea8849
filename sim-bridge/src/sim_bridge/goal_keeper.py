"""What a scripted Meta-World expert lacks: staying at the goal once it is reached."""

import numpy as np

from sim_bridge.simulator import Float32Array, Float64Array

_HAND = slice(0, 3)
_OBJECT = slice(4, 7)
_GOAL = slice(36, 39)
_GRIPPER = 3

_GAIN = 10.0
"""Action per metre. One action of 1 moves the hand's target by 1 cm; 10 closes a tenth of a gap each step."""

_GUIDED = frozenset({"handle-press-v3", "handle-press-side-v3", "stick-pull-v3"})
"""Tasks in which the object moves on after the hand has stopped, past the goal or back from it."""

_STILL = frozenset({"pick-place-wall-v3", "reach-wall-v3"})
"""Tasks in which the hand's target runs far ahead of it at success, so that going back loses the goal."""

_SCRIPTED = frozenset(
    {
        "bin-picking-v3",
        "coffee-pull-v3",
        "dial-turn-v3",
        "disassemble-v3",
        "handle-pull-side-v3",
        "peg-insert-side-v3",
        "pick-out-of-hole-v3",
        "pick-place-v3",
        "plate-slide-v3",
        "reach-v3",
        "soccer-v3",
    }
)
"""Tasks in which the script itself stays, nearer to the goal than where it was first reached."""


class GoalKeeper:
    """Replaces the expert's action where that would leave the goal again.

    The experts go on with their script after success: they lift the hand from a handle, push a plate past the
    goal. Which of four ways keeps the goal was found by experiment over the 50 tasks:

    - hold (most tasks): while the goal is reached, return to where the hand was when it was reached; the
      expert acts again as soon as the goal is lost;
    - still: while the goal is reached, do not move;
    - guide: once the goal has been reached, move the hand by what the object lacks to the goal;
    - script: let the script go on.

    The gripper stays as it was. Rows of the observation that are read: hand, first object, goal.
    """

    def __init__(self, name: str) -> None:
        """Makes a keeper for one episode.

        Args:
            name: Meta-World's own name of the task, such as `reach-v3`.
        """
        self._scripted = name in _SCRIPTED
        self._guided = name in _GUIDED
        self._still = name in _STILL
        self._place: Float64Array | None = None
        self._gripper = 0.0

    def keep(self, observation: Float64Array, expert: Float32Array, *, reached: bool) -> Float32Array:
        """The action that keeps the goal, or the expert's own.

        Args:
            observation: [39] before the action.
            expert: [4] what the expert would do.
            reached: Whether the goal is reached in the state of `observation`.
        """
        if self._scripted:
            return expert
        if not reached and not (self._guided and self._place is not None):
            self._place = None
            self._gripper = float(np.clip(expert[_GRIPPER], -1.0, 1.0))
            return expert
        place = observation[_HAND].copy() if self._place is None else self._place
        self._place = place
        gap = observation[_GOAL] - observation[_OBJECT] if self._guided else place - observation[_HAND]
        move = np.zeros(3) if self._still else np.clip(_GAIN * gap, -1.0, 1.0)
        return np.append(move, self._gripper).astype(np.float32)
