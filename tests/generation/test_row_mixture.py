"""Rows of small tables, drawn from Gaussians around rows."""

import numpy as np
import pandas as pd
import pytest

from skae import VariationalAutoencoder
from skae.generation._row_mixture import RowMixture

N = 400


def table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    level = pd.Series(kind).map({"a": 1.0, "b": 4.0, "c": 9.0}).to_numpy()
    gap = np.where(rng.random(n) < 0.2, np.nan, level + 0.1 * rng.normal(size=n))
    return pd.DataFrame(
        {"kind": kind, "gap": gap, "is_big": level > 2, "count": rng.poisson(level)}
    )


def fitted(X, y=None, **params):
    params = {"max_epochs": 1, "random_state": 0, **params}
    return VariationalAutoencoder(2, hidden_layer_sizes=(8,), **params).fit(X, y)


@pytest.fixture(scope="module")
def model():
    return fitted(table())


def test_columns_go_together_as_in_the_training_rows(model):
    rows = model.sample(2000)

    assert isinstance(model._chain, RowMixture)
    assert (rows["is_big"] == (rows["kind"] != "a")).mean() > 0.98
    assert rows["gap"].isna().mean() == pytest.approx(0.2, abs=0.05)
    means = rows.groupby("kind")["gap"].mean()
    np.testing.assert_allclose(means[["a", "b", "c"]], [1, 4, 9], atol=0.5)
    shares = rows["kind"].value_counts(normalize=True)
    np.testing.assert_allclose(shares, table()["kind"].value_counts(normalize=True), atol=0.03)


@pytest.mark.parametrize(
    "given",
    [{"kind": "c"}, {"gap": (3, 5)}, {"gap": None}, {"is_big": True, "count": (2, None)}],
    ids=["category", "number", "missing", "truth"],
)
def test_conditions_are_met_as_the_other_columns_say(model, given):
    rows = model.sample(200, given=given)

    for name, value in given.items():
        if value is None:
            assert rows[name].isna().all()
        elif isinstance(value, tuple):
            assert rows[name].ge(value[0]).all()
        else:
            assert (rows[name] == value).all()
    if "kind" in given or given.get("gap"):
        assert rows["is_big"].mean() > 0.95


def test_what_hardly_a_row_meets_is_drawn_from_codes(model):
    rows = model.sample(10, given={"count": (14, None)})

    assert (rows["count"] >= 14).all()


def test_classes_have_rows_of_their_own():
    X = table()
    model = fitted(X.drop(columns="kind"), X["kind"], conditional=True)

    assert model.sample(200, y="c")["gap"].median() == pytest.approx(9, abs=0.3)
    assert model.sample(200, y="a")["gap"].median() == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("n", [1, 2, 25])
def test_a_few_rows_will_do(n):
    rows = fitted(pd.DataFrame({"x": np.arange(n) / 7, "y": np.arange(n) ** 2})).sample(5)

    assert rows["x"].between(0, n / 7).all()


def test_a_row_far_from_all_others_is_not_given_away():
    X = np.random.default_rng(0).normal(size=(100, 12))
    X[0] = 6.0
    model = fitted(X)

    (mixture,) = model._chain.mixtures

    least = np.linalg.eigvalsh(mixture.covariances_)[:, 0]
    assert least.min() > 0.05 * np.median(least)
    np.testing.assert_allclose(
        mixture.precisions_[0] @ mixture.covariances_[0], np.eye(12), atol=1e-6
    )
