"""Meta-World and DMControl simulators as peers of the l2m server."""

import os

__version__ = "0.1.0"

# Nothing here renders: without this, importing a simulator looks for a display and warns if there is none.
os.environ.setdefault("MUJOCO_GL", "disabled")
# The arrays are tiny and there is one worker per core: threads for linear algebra would only fight.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
