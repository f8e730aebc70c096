"""Samples under conditions, and balanced ones."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_digits

from skae import AdversarialAutoencoder, VariationalAutoencoder

N = 400


def visits():
    rng = np.random.default_rng(0)
    age, sex = rng.integers(18, 90, N), rng.choice(["f", "m"], N)
    x = rng.normal(size=N)
    frame = pd.DataFrame(
        {
            "age": age,
            "sex": sex,
            "ward": rng.choice(["north", "south", None], N, p=[0.5, 0.3, 0.2]),
            "is new": rng.random(N) < 0.3,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200, N), unit="D"),
            "dose": np.exp(x + age / 40).astype(np.float32),
            "weight": 70 + 5 * x + rng.normal(size=N),
        }
    )
    frame.loc[rng.random(N) < 0.2, "weight"] = np.nan
    return frame


def fitted(X, y=None, generator=VariationalAutoencoder, **params):
    params = {"hidden_layer_sizes": (32,), "max_epochs": 20, "random_state": 0} | params
    return generator(**params).fit(X, y)


@pytest.fixture(scope="module")
def of_visits():
    return fitted(visits())


@pytest.fixture(scope="module")
def of_polars():
    return fitted(pl.from_pandas(visits()), generator=AdversarialAutoencoder, max_epochs=3)


def share_table(n=1000):
    """Three columns that depend on each other, one of them with a rare value."""
    rng = np.random.default_rng(0)
    a = rng.choice(["p", "q", "rare"], n, p=[0.6, 0.38, 0.02])
    b = np.where(rng.random(n) < 0.8, a == "p", rng.random(n) < 0.5)
    return pd.DataFrame({"a": a, "b": b, "c": rng.poisson(np.select([a == "p", b], [1, 4], 8))})


@pytest.fixture(scope="module")
def of_shares():
    return fitted(share_table(), max_epochs=20)


# ---------------------------------------------------------------- conditions are met


@pytest.mark.parametrize(
    ("given", "is_met"),
    [
        ({"age": 30}, lambda s: s.age == 30),
        ({"age": (30, 40)}, lambda s: s.age.between(30, 40)),
        ({"age": (None, 40)}, lambda s: s.age <= 40),
        ({"age": [20, (60, None)]}, lambda s: (s.age == 20) | (s.age >= 60)),
        ({"sex": "f", "age": range(30, 50)}, lambda s: (s.sex == "f") & s.age.between(30, 49)),
        ({"ward": {"north", "south"}}, lambda s: s.ward.isin(["north", "south"])),
        ({"ward": None}, lambda s: s.ward.isna()),
        ({"is new": True}, lambda s: s["is new"]),
        ({"day": "2024-03-01"}, lambda s: s.day == pd.Timestamp("2024-03-01")),
        (
            {"day": (pd.Timestamp("2024-03-01"), "2024-03-31")},
            lambda s: s.day.between("2024-03-01", "2024-03-31"),
        ),
        ({"dose": (0.1, 3.3)}, lambda s: s.dose.astype(float).between(0.1, 3.3)),
        ({"weight": np.nan, "sex": "m"}, lambda s: s.weight.isna() & (s.sex == "m")),
        ({"weight": [None, (70, 80)]}, lambda s: s.weight.isna() | s.weight.between(70, 80)),
        ({"weight": (70, 70.5)}, lambda s: s.weight.between(70, 70.5)),
    ],
)
def test_all_rows_meet_the_conditions(given, is_met, of_visits):
    samples = of_visits.sample(60, given=given)

    assert len(samples) == 60
    assert is_met(samples).all()
    assert list(samples.dtypes) == list(visits().dtypes)


def test_a_frame_of_polars(of_polars):
    given = {"age": (30, 40), "sex": ["f"], "day": (None, "2024-05-01"), "is new": False}

    samples = of_polars.sample(40, given=given).to_pandas()

    assert samples.age.between(30, 40).all()
    assert (samples.sex == "f").all()
    assert (samples.day <= "2024-05-01").all()
    assert not samples["is new"].any()


@pytest.mark.parametrize(
    "params", [{}, {"scale": None}, {"likelihood": "gaussian"}, {"likelihood": "poisson"}], ids=str
)
def test_columns_of_arrays_by_their_positions(params):
    X = np.random.default_rng(0).poisson([3, 8], (200, 2))
    model = fitted(X, max_epochs=2, **params)

    samples = model.sample(50, given={0: [2, 3], 1: (5, 9)})

    assert samples.dtype == X.dtype
    assert np.isin(samples[:, 0], [2, 3]).all()
    assert ((samples[:, 1] >= 5) & (samples[:, 1] <= 9)).all()


def test_columns_of_a_one_hot_encoder():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.eye(3)[rng.integers(3, size=200)], rng.normal(size=200)])
    model = fitted(X, max_epochs=2)

    samples = model.sample(40, given={0: 0, 1: 0})

    np.testing.assert_array_equal(samples[:, :3], np.tile([0, 0, 1], (40, 1)))


def test_pixels_under_conditions():
    X = load_digits().data
    model = fitted(X, n_components=8, max_epochs=2)

    assert (model.sample(20, given={36: (10, None)})[:, 36] >= 10).all()


def test_samples_under_conditions_are_reproducible(of_visits):
    given = {"sex": "f", "age": (30, 50)}
    first, second = (of_visits.sample(20, given=given, random_state=1) for _ in range(2))

    pd.testing.assert_frame_equal(first, second)
    other = of_visits.sample(20, given=given, random_state=2)
    assert not np.isclose(first.dose, other.dose).any()


def test_many_rows_under_conditions_are_drawn_some_at_a_time(of_visits, monkeypatch):
    monkeypatch.setattr("skae.generation._sampling._CELLS", 300)

    samples = of_visits.sample(70, given={"age": (30, 50)})

    assert samples.age.between(30, 50).all()
    assert samples.dose.nunique() > 60


# ---------------------------------------------------------------- and the rest is as it should be


@pytest.mark.parametrize("given", [{"a": "q"}, {"b": True, "c": (3, None)}, {"a": "rare"}], ids=str)
def test_other_columns_are_as_in_plain_samples_that_meet_the_conditions(given, of_shares):
    plain = of_shares.sample(10000)
    plain = plain[plain.a == given["a"]] if "a" in given else plain[plain.b & (plain.c >= 3)]

    samples = of_shares.sample(1000, given=given)

    noise = 2.5 / min(len(plain), 1000) ** 0.5
    for value in ("p", "q", "rare"):
        assert (samples.a == value).mean() == pytest.approx((plain.a == value).mean(), abs=noise)
    assert samples.b.mean() == pytest.approx(plain.b.mean(), abs=noise)
    assert samples.c.mean() == pytest.approx(plain.c.mean(), abs=noise * plain.c.std())


def test_a_rare_condition_on_numbers():
    rng = np.random.default_rng(0)
    X = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2000)
    model = fitted(X, max_epochs=3)

    samples = model.sample(500, given={0: (2.5, None)})

    expected = X[X[:, 0] > 2.5].mean(axis=0)
    np.testing.assert_allclose(samples.mean(axis=0), expected, atol=0.35)
    assert len(np.unique(samples[:, 1])) > 450


def test_classes_have_the_shares_of_the_rows_that_meet_the_conditions():
    rng = np.random.default_rng(0)
    y = rng.choice(["ill", "well"], 1000, p=[0.2, 0.8])
    X = pd.DataFrame({"x": rng.normal(size=1000) + 2 * (y == "ill")})
    X["kind"] = np.where(rng.random(1000) < 0.9, y, "well")
    model = fitted(X, y, conditional=True)

    samples = model.sample(2000, given={"x": (2, None)})

    met = X.x >= 2
    assert (samples.kind == "ill").mean() == pytest.approx((X.kind[met] == "ill").mean(), abs=0.1)
    of_well = model.sample(300, y="well", given={"x": (2, None)})
    assert (of_well.x >= 2).all()
    assert (of_well.kind == "well").mean() > 0.9


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("sex", "given='sex' must be a dict"),
        ({"sax": "f"}, r"given names the column 'sax'.*did you mean 'sex'\?"),
        ({"sex": "q"}, r"given={'sex': 'q'}: 'q' is in no row; column 'sex' holds 'f', 'm'"),
        ({"sex": ("f", "m")}, "is an interval; several values go into a list"),
        ({"sex": []}, "names no value"),
        ({"sex": None}, "None is in no row"),
        ({"age": (200, 300)}, "fits no row; column 'age' holds values from 18 to 89"),
        ({"age": "old"}, "'old' is no number"),
        ({"age": (40, 30)}, "goes from low to high"),
        ({"age": (1, 2, 3)}, "has two ends, not 3"),
        ({"age": None}, "no value is missing in the training data"),
        ({"age": 30.5}, "has the probability zero"),
        ({"weight": 71.123}, "has the probability zero.*give an interval"),
        ({"day": "soon"}, "'soon' can't be read as datetime64"),
        ({0: 1}, "names the column 0, which X does not have"),
    ],
    ids=str,
)
def test_conditions_that_make_no_sense(given, message, of_visits):
    with pytest.raises(ValueError, match=message):
        of_visits.sample(3, given=given)


def test_conditions_that_exclude_each_other():
    x = np.random.default_rng(0).normal(size=500)
    model = fitted(np.column_stack([x, x + 0.01 * np.roll(x, 1)]))

    message = r"given={0: \(1, 2\)} and given={1: \(-2, -1\)} fits nothing.*effective sample size"
    with pytest.raises(ValueError, match=message):
        model.sample(3, given={0: (1, 2), 1: (-2, -1)})


def test_conditions_that_no_draw_meets(monkeypatch):
    monkeypatch.setattr("skae.generation._sampling._MOST_DRAWS", 200)
    X = np.random.default_rng(0).poisson([3, 8], (100, 2))
    model = fitted(X, max_epochs=0, likelihood="poisson")

    with pytest.raises(ValueError, match=re.escape("given={0: 2.5} is met by 0 of")):
        model.sample(3, given={0: 2.5})


@pytest.mark.parametrize("name", [-1, 2, "x0", True])
def test_columns_that_an_array_does_not_have(name):
    model = fitted(np.random.default_rng(0).normal(size=(30, 2)), max_epochs=0)

    with pytest.raises(ValueError, match=f"names the column {name!r}.*integers from 0 to 1"):
        model.sample(3, given={name: 1})


# ---------------------------------------------------------------- balance


def test_values_of_a_column_in_equal_shares(of_shares):
    samples = of_shares.sample(100, balance="a")

    assert samples.a.value_counts().to_dict() == {"p": 34, "q": 33, "rare": 33}
    assert (samples.a != samples.a.shift()).mean() > 0.4


def test_shares_of_ones_own(of_visits):
    shares = {(18, 29): 0.125, (30, 39): 0.125, (40, None): 0.75}

    samples = of_visits.sample(40, balance={"age": shares}, given={"sex": "f"})

    assert np.histogram(samples.age, [18, 30, 40, 99])[0].tolist() == [5, 5, 30]
    assert (samples.sex == "f").all()


def test_truth_values_and_missing_ones(of_visits):
    assert of_visits.sample(31, balance="is new")["is new"].sum() == 15
    samples = of_visits.sample(40, balance={"weight": {None: 0.5, (60, 80): 0.5}})
    assert samples.weight.isna().sum() == 20


def test_classes_in_equal_shares():
    y = np.repeat(["few", "many"], [30, 270])
    X = np.random.default_rng(0).normal(size=(300, 2)) + 9 * (y == "few")[:, None]
    model = fitted(X, y, conditional=True, scale=None, max_epochs=2)

    assert (model.sample(101, balance="y")[:, 0] > 4.5).sum() == 51
    shares = {"y": {"few": 0.1, "many": 0.9}}
    assert (model.sample(100, balance=shares, given={1: (None, 20)})[:, 0] > 4.5).sum() == 10


@pytest.mark.parametrize(
    ("balance", "message"),
    [
        ("weight", "balance='weight' needs a column of categories or of few values"),
        ("y", "balance names the column 'y'"),
        ({"sex": {"f": 0.5, "m": 0.6}}, "must have shares"),
        ({"sex": {"f": 0.5, "q": 0.5}}, "'q' is in no row"),
        ({"sex": {}}, "must have shares"),
        ({"sex": 0.5}, "must have shares"),
        ({"sex": {"f": 1}, "age": {20: 1}}, "must have one column"),
    ],
    ids=str,
)
def test_balances_that_make_no_sense(balance, message, of_visits):
    with pytest.raises(ValueError, match=message):
        of_visits.sample(10, balance=balance)


def test_a_column_that_is_given_and_balanced(of_visits):
    with pytest.raises(ValueError, match="is of the column that balance is of"):
        of_visits.sample(10, balance="sex", given={"sex": "f"})
