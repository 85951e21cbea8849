"""Undoes what episodes do to a physics model."""

from sim_bridge.mujoco_api import MjModel

# Every array that some task writes: where things stand, how big and what colour targets are, damping, tendon
# gains and terrain. A contract test compares all arrays of all tasks with this list.
MUTATED_FIELDS = (
    "body_pos",
    "body_quat",
    "dof_damping",
    "eq_data",
    "geom_pos",
    "geom_rgba",
    "geom_size",
    "hfield_data",
    "light_pos",
    "mat_rgba",
    "site_pos",
    "site_rgba",
    "site_size",
    "wrap_prm",
)


class ModelSnapshot:
    """The mutable arrays of a model as they were when it was loaded."""

    def __init__(self, model: MjModel) -> None:
        """Copies the arrays of `model`."""
        self._pairs = [(getattr(model, name), getattr(model, name).copy()) for name in MUTATED_FIELDS]

    def restore(self) -> None:
        """Writes the copies back into the model."""
        for live, saved in self._pairs:
            live[...] = saved
