"""Files of every release load, and give what they gave."""

from pathlib import Path

import numpy as np
import pytest

import skae

FILES = sorted(Path(__file__).parent.joinpath("golden").glob("*/*.skae"))
# Other processors round sums of float32 otherwise, in 1e-6; what a network makes of that is larger.
TOLERANCE = 2e-5


def test_there_are_files_of_the_first_release():
    assert len([file for file in FILES if file.parent.name == "0.1"]) == 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_gives_what_it_gave(path):
    expected = np.load(path.parent / "expected.npz")
    X = expected[f"{path.stem}.X"]
    methods = [each.partition(".")[2] for each in expected.files if each.startswith(path.stem)]
    methods.remove("X")

    model = skae.load(path, device="cpu")

    assert methods
    for method in methods:
        before = expected[f"{path.stem}.{method}"]
        now = np.asarray(getattr(model, method)(X), dtype=float)
        scale = max(1.0, np.abs(before[np.isfinite(before)]).max())
        np.testing.assert_allclose(now, before, rtol=0, atol=TOLERANCE * scale)
