"""Columns of every kind in both generators: missing cells, dates, new values, units, refusals."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.model_selection import cross_val_score

from skae import AdversarialAutoencoder, VariationalAutoencoder

N = 120


@pytest.fixture(params=[VariationalAutoencoder, AdversarialAutoencoder])
def generator(request):
    return lambda **params: request.param(**{"max_epochs": 2, "random_state": 0, **params})


def visits():
    """Return a table of which every column but one has holes."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2023-03-01") + pd.to_timedelta(rng.integers(0, 500, N), unit="D")
    frame = pd.DataFrame(
        {
            "age": pd.array(rng.integers(18, 90, N), dtype="Int64"),
            "smokes": pd.array(rng.random(N) < 0.3, dtype="boolean"),
            "weight": rng.normal(70, 12, N),
            "dose": pd.array(rng.choice([0.5, 1.0], N), dtype="Float64"),
            "day": days,
            "ward": rng.choice(["north", "south"], N),
        }
    )
    for name, share in zip(frame, [0.1, 0.3, 0.5, 0.2, 0.25, 0.15], strict=True):
        frame.loc[rng.random(N) < share, name] = None
    return frame.assign(stay=rng.exponential(3, N))


def missing(frame):
    if isinstance(frame, pl.DataFrame):
        return frame.null_count().to_numpy()[0] / len(frame)
    return np.isnan(frame).mean(axis=0) if isinstance(frame, np.ndarray) else frame.isna().mean()


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame,
        pl.from_pandas,
        lambda frame: frame[["age", "weight", "dose", "stay"]].to_numpy(float, na_value=np.nan),
        lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    ],
    ids=["pandas", "polars", "numpy", "arrow"],
)
def test_holes_are_learned_and_drawn(convert, generator):
    X = convert(visits())
    model = generator().fit(X)

    new = model.sample(1500)

    np.testing.assert_allclose(missing(new), missing(X), atol=0.1)
    if not isinstance(X, np.ndarray):
        assert list(new.dtypes) == list(X.dtypes)
        assert type(model.reconstruct(X)) is type(X)
    assert np.isfinite(model.score_samples(X)).all()
    assert np.isfinite(model.transform(X)).all()
    assert len(model.reconstruct(X)) == N


def test_holes_come_together():
    """What is missing may depend on what is not, and on what else is missing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    x[x[:, 0] > 0, 1:] = np.nan
    model = VariationalAutoencoder(max_epochs=60, random_state=0).fit(x)

    new = model.sample(1000)

    both, first = np.isnan(new[:, 1]) & np.isnan(new[:, 2]), new[:, 0] > 0
    assert np.mean(both == first) > 0.85
    wrong = np.where(np.isnan(x[:50]), 0.0, x[:50])
    assert model.score(x[:50]) > model.score(np.where(x[:50, :1] > 0, wrong, np.nan)) + 5


def test_holes_where_there_were_none(generator):
    X = visits().dropna().reset_index(drop=True)
    model = generator().fit(X)

    some = X.assign(weight=X["weight"].mask(X.index == 0), day=X["day"].mask(X.index == 1))

    scores = model.score_samples(some)
    assert np.isfinite(scores).all()
    assert np.isfinite(model.transform(some)).all()
    np.testing.assert_array_equal(scores[2:], model.score_samples(X)[2:])


def test_scores_of_rows_with_holes_fall_where_holes_are_rare():
    X = visits()[["weight", "stay"]]
    X.loc[X.index > 5, "weight"] = 70.0 + X.index[X.index > 5] / 9
    model = VariationalAutoencoder(max_epochs=40, random_state=0).fit(X)

    holed, full = X.assign(weight=np.nan), X.assign(weight=X["weight"].fillna(75))

    assert model.score(holed) < model.score(full)


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_dates_do_not_depend_on_their_unit(unit, generator):
    frame = visits()[["day", "stay"]]
    expected = generator().fit(frame).sample(5)

    new = generator().fit(frame.astype({"day": f"datetime64[{unit}]"})).sample(5)

    assert new["day"].dtype == f"datetime64[{unit}]"
    pd.testing.assert_frame_equal(new.astype({"day": expected["day"].dtype}), expected)
    assert (new["day"].dropna() == new["day"].dropna().dt.normalize()).all()


def test_an_array_in_place_of_a_frame_with_dates(generator):
    frame = visits()[["day", "stay"]]

    with pytest.raises(ValueError, match=r"X must be a data frame.*'day' holds dates; got ndarray"):
        generator(max_epochs=0).fit(frame).transform(frame["stay"].to_numpy()[:, None])


@pytest.mark.parametrize("values", [[0, 1], [-0.3, 7.5]])
def test_a_third_value_breaks_nothing(values, generator):
    """One row has it, so that one of the folds has not seen it in training."""
    X = np.random.default_rng(0).choice(values, (40, 2)).astype(type(values[0]))
    X = np.column_stack([X, np.arange(40)])
    X[7, 0] = values[1] + 1

    scores = cross_val_score(generator(max_epochs=0), X, cv=2, error_score="raise")

    assert np.isfinite(scores).all()
    model = generator(max_epochs=0).fit(X[8:])
    for row in (X[[7]], X[[7]] + 1000):
        assert np.isfinite(model.transform(row)).all()
        assert np.isfinite(model.reconstruct(row)).all()
    if isinstance(model, VariationalAutoencoder):  # of the other, scores know no volumes
        near, far = model.score_samples(np.r_[X[[8]], X[[8]] * [1000, 1, 1] + [999, 0, 0]])
        assert far < near - 10


def test_probabilities_of_counts_sum_to_one():
    x = np.random.default_rng(0).negative_binomial(2, 0.3, (300, 1))
    model = VariationalAutoencoder(max_epochs=20, random_state=0).fit(x)

    probabilities = np.exp(model.score_samples(np.arange(-20, 200)[:, None]))

    assert probabilities.sum() == pytest.approx(1, abs=0.05)
    assert (np.diff(probabilities[20 + x.max() :]) < 0).all()


@pytest.mark.parametrize("params", [{}, {"scale": None}, {"likelihood": "gaussian"}], ids=str)
@pytest.mark.parametrize(("unit", "offset"), [(1e-9, 0), (1e6, 0), (1, 1e8)])
def test_units_and_offsets(unit, offset, params, generator):
    rng = np.random.default_rng(0)
    X = np.tanh(rng.normal(size=(80, 3))) @ rng.normal(size=(3, 3))
    expected = generator(n_components=2, max_epochs=0, **params).fit(X)

    model = generator(n_components=2, max_epochs=0, **params).fit(unit * X + offset)

    restored = (model.reconstruct(unit * X + offset) - offset) / unit
    np.testing.assert_allclose(restored, expected.reconstruct(X), atol=0.01)
    volume = 3 * np.log(unit) * isinstance(model, VariationalAutoencoder)
    scores = model.score_samples(unit * X + offset)
    np.testing.assert_allclose(scores + volume, expected.score_samples(X), atol=0.1)


def test_units_of_single_columns(generator):
    frame = visits()[["weight", "stay"]]
    expected = generator().fit(frame).sample(9)

    new = generator().fit(frame * [1e-7, 1e5] + [0, 1e9]).sample(9)

    np.testing.assert_allclose((new - [0, 1e9]) / [1e-7, 1e5], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([f"P{i:03}" for i in range(N)], "'x' has 120 different values in 120 rows.*Leave the col"),
        ([None] * N, "'x' has no values, they are missing in all 120 rows: leave it out"),
        ([np.nan] * N, "'x' has no values, they are missing in all 120 rows: leave it out"),
        ([np.inf] * N, "contains infinity in column 'x'"),
    ],
)
def test_columns_that_are_refused(column, message, generator):
    with pytest.raises(ValueError, match=message):
        generator().fit(visits().assign(x=column))


def test_categories_that_were_not_there_after_one_hot_encoding(generator):
    X = np.column_stack([np.eye(3)[np.arange(N) % 3], np.arange(N)])
    model = generator().fit(X)

    known, unknown = model.score_samples(np.r_[X[[4]], X[[4]] * [0, 0, 0, 1]])

    assert unknown < known or not isinstance(model, VariationalAutoencoder)


def test_arrays_with_columns_that_are_refused(generator):
    X = np.random.default_rng(0).normal(size=(20, 3))
    X[:, 1] = np.nan

    with pytest.raises(ValueError, match="column 1 has no values"):
        generator().fit(X)
    X[3:, 1] = 0.5
    with pytest.raises(ValueError, match=r"NaN in column 1.*scale='range' can't learn missing"):
        generator(scale="range").fit(X)
    with pytest.raises(ValueError, match="contains NaN"):
        generator(likelihood="gaussian").fit(X)
