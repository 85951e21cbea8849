import json
from importlib import resources
from typing import get_args

from sim_bridge.errors import ErrorCode


def test_every_code_is_in_the_table_of_the_protocol() -> None:
    schema = json.loads(resources.files("sim_bridge").joinpath("schema.json").read_text(encoding="utf-8"))
    assert set(get_args(ErrorCode)) <= set(schema["x-l2m-errors"])
