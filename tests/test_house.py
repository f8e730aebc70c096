"""No file, class or function of the package holds more than one idea has room for."""

import runpy
from pathlib import Path

import pytest

HOUSE = runpy.run_path(str(Path(__file__).resolve().parents[1] / "tools" / "house.py"))


@pytest.mark.parametrize(
    ("parts", "limit"),
    [("files", "FILE_LINES"), ("classes", "CLASS_LINES"), ("functions", "FUNCTION_LINES")],
)
def test_no_part_is_too_long(parts, limit):
    too_long = HOUSE["longer_than"](HOUSE[limit], HOUSE[parts]())

    assert not too_long, "\n".join(map(str, too_long))
