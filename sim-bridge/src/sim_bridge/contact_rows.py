"""Contacts as MuJoCo's viewer draws them: where bodies touch, and with which force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import mujoco
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim_bridge.mujoco_api import MjData, MjModel

CONTACT_COLUMNS: Final = 11
MOST_CONTACTS: Final = 64
"""A picture with more is a tangle; each costs the worker a few microseconds."""

NO_FORCE: Final = 0.0
ONE_WAY: Final = 1.0
TWO_WAY: Final = 2.0

_contact_force: Any = vars(mujoco)["mj_contactForce"]


def contact_rows(model: MjModel, data: MjData) -> NDArray[np.float32]:
    """The first `MOST_CONTACTS` contacts of the present state.

    Returns:
        float32 [n, 11]: position in metres (3), unit normal (3), force in newtons in world coordinates (3),
        distance of the surfaces in metres, and how the force is drawn: not at all (0), on the one body that
        can move (1), or on both (2).
    """
    count = min(int(data.ncon), MOST_CONTACTS)
    rows = np.zeros((count, CONTACT_COLUMNS), dtype=np.float32)
    wrench = np.zeros(6)
    for index in range(count):
        contact = data.contact[index]
        frame = np.asarray(contact.frame).reshape(3, 3)
        row = rows[index]
        row[:3], row[3:6], row[9] = contact.pos, frame[0], contact.dist
        if contact.efc_address < 0:
            continue
        _contact_force(model, data, index, wrench)
        force = frame.T @ wrench[:3]
        first, second = (int(model.geom_bodyid[geom]) if geom >= 0 else 0 for geom in contact.geom)
        # What is told is the force on the body with the larger number: the world is number 0.
        row[6:9] = -force if first > second else force
        row[10] = TWO_WAY if min(first, second) > 0 else ONE_WAY
    return rows
