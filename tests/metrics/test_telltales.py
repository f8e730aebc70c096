"""Telltales: the column, or the pair, that was changed comes first."""

import numpy as np
import pandas as pd
import pytest

from skae.metrics import telltale_columns


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_column_with_another_distribution_comes_first(rng):
    X, Y = rng.normal(size=(2, 300, 3))
    Y[:, 1] = Y[:, 1].round()

    found = telltale_columns(X, Y, pairs=False, random_state=0)

    assert next(iter(found.columns)) == 1
    assert found.columns[1] > 0.8 > 0.6 > found.columns[0]
    assert not found.pairs


def test_columns_that_belong_together_come_first(rng):
    kinds = np.array(["a", "b"])
    X, Y = (
        pd.DataFrame({"kind": kinds[c], "other": rng.normal(size=300), "value": c + 0.1})
        for c in rng.integers(0, 2, (2, 300))
    )
    Y["value"] = rng.permutation(Y["value"].to_numpy())

    found = telltale_columns(X, Y, random_state=0)

    assert next(iter(found.pairs)) == ("kind", "value")
    assert found.pairs["kind", "value"] > 0.15
    assert max(found.columns.values()) < 0.6


def test_frames_and_arrays_are_not_mixed(rng):
    X = rng.normal(size=(9, 2))

    with pytest.raises(ValueError, match="both be data frames"):
        telltale_columns(X, pd.DataFrame(X))


def test_rows_are_few_enough(rng):
    X, Y = rng.normal(size=(2, 500, 2))

    few = telltale_columns(X, Y + 1, pairs=False, max_samples=50, random_state=0)

    assert few == telltale_columns(X, Y + 1, pairs=False, max_samples=50, random_state=0)
    assert few != telltale_columns(X, Y + 1, pairs=False, random_state=0)
