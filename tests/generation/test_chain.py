"""Rows of tables that are drawn column by column."""

import numpy as np
import pandas as pd
import pytest
import torch

from skae import VariationalAutoencoder
from skae.generation._row_model import learned_rows
from skae.training import ArrayRows

N = 600


def table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    level = pd.Series(kind).map({"a": 1.0, "b": 4.0, "c": 9.0}).to_numpy()
    spike = np.where(rng.random(n) < 0.5, 0.0, rng.exponential(size=n))
    gap = np.where(rng.random(n) < 0.2, np.nan, level + 0.1 * rng.normal(size=n))
    return pd.DataFrame({"kind": kind, "spike": spike, "gap": gap, "is_big": level > 2})


def fitted(chain=True, **params):
    params = {"max_epochs": 40, "batch_size": 64, "random_state": 0, **params}
    return VariationalAutoencoder(3, hidden_layer_sizes=(8,), chain=chain, **params)


@pytest.fixture(scope="module")
def model():
    return fitted().fit(table())


def test_columns_go_together_as_in_the_training_rows(model):
    rows = model.sample(2000)

    assert (rows["is_big"] == (rows["kind"] != "a")).mean() > 0.98
    assert (rows["spike"] == 0).mean() == pytest.approx(0.5, abs=0.06)
    assert rows["gap"].isna().mean() == pytest.approx(0.2, abs=0.05)
    means = rows.groupby("kind")["gap"].mean()
    np.testing.assert_allclose(means[["a", "b", "c"]], [1, 4, 9], atol=0.7)


def test_categories_have_their_shares(model):
    shares = model.sample(4000)["kind"].value_counts(normalize=True)

    expected = table()["kind"].value_counts(normalize=True)
    np.testing.assert_allclose(shares[expected.index], expected, atol=0.02)


@pytest.mark.parametrize(
    "given",
    [{"kind": "c"}, {"gap": (3, 5), "spike": 0.0}, {"gap": None}, {"is_big": True}],
    ids=["category", "numbers", "missing", "truth"],
)
def test_conditions_are_met_as_the_other_columns_say(model, given):
    rows = model.sample(300, given=given)

    for name, value in given.items():
        if value is None:
            assert rows[name].isna().all()
        elif isinstance(value, tuple):
            assert rows[name].between(*value).all()
        else:
            assert (rows[name] == value).all()
    if given.get("kind") == "c" or "spike" in given:
        assert rows["is_big"].mean() > 0.95


def test_a_condition_that_hardly_a_row_meets_is_met(model):
    rows = model.sample(20, given={"spike": (3.5, None)})

    assert (rows["spike"] >= 3.5).all()


def test_shares_that_are_asked_for(model):
    counts = model.sample(99, balance="kind")["kind"].value_counts()

    assert counts.tolist() == [33, 33, 33]


def test_classes_have_rows_of_their_own():
    frame = table(300)
    y = frame.pop("kind")
    model = fitted(conditional=True, max_epochs=30).fit(frame, y)

    assert model.sample(200, y="c")["gap"].mean() > 7
    assert model.sample(200, y="a")["gap"].mean() < 2
    assert model.sample(300, given={"gap": (3, None)})["is_big"].mean() > 0.95


def test_weights_are_repetitions():
    X = np.arange(10.0).reshape(5, 2)
    weights = np.array([1, 3, 0, 2, 1])
    rows = ArrayRows(X, torch.float64, torch.device("cpu")).weighted(weights)

    encoded, labels = learned_rows(rows, np.arange(5), np.arange(5) != 4)

    np.testing.assert_array_equal(np.sort(labels), [0, 1, 1, 1, 3, 3])
    np.testing.assert_array_equal(encoded, X[labels])


def test_by_default_only_long_trainings_of_many_rows_have_one():
    many = table(1000)
    few = fitted("auto", max_epochs=1).fit(many)

    assert few._chain is None
    pd.testing.assert_frame_equal(few.sample(9), fitted(False, max_epochs=1).fit(many).sample(9))


def test_pixels_have_none():
    X = np.random.default_rng(0).random((50, 64))

    with pytest.raises(ValueError, match="chain=True needs columns as normal scores"):
        fitted(max_epochs=1).fit(X)
