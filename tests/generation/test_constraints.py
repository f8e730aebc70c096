"""Constraints that are written down, and kept."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skae import AdversarialAutoencoder, VariationalAutoencoder
from skae.generation._grammar import comparisons_in

N = 300


def stays():
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D")
    a, b = rng.poisson(3, N), rng.normal(5, 1, N).round(2)
    return pd.DataFrame(
        {
            "start": start,
            "end": start + pd.to_timedelta(rng.poisson(2, N), unit="D"),
            "rooms": a,
            "unit price": b,
            "total": a + 2 * b,
            "age": rng.integers(0, 80, N),
            "kind": rng.choice(["p", "q"], N),
        }
    )


RULES = ["start <= end", "total == rooms + 2 * `unit price`", "0 <= age < 120", "age >= 0"]


def fitted(X, constraints, generator=VariationalAutoencoder, **params):
    params = {"hidden_layer_sizes": (32,), "max_epochs": 10, "random_state": 0} | params
    return generator(constraints=constraints, **params).fit(X)


@pytest.fixture(scope="module", params=[VariationalAutoencoder, AdversarialAutoencoder])
def of_stays(request):
    return fitted(stays(), RULES, request.param)


def test_constraints_are_kept(of_stays):
    samples = of_stays.sample(1000)

    assert (samples.start <= samples.end).all()
    assert (samples.total == samples.rooms + 2 * samples["unit price"]).all()
    assert samples.age.between(0, 79).all()


def test_short_differences_stay_short(of_stays):
    """Stays of two days in three years: what is learned is their length."""
    samples, X = of_stays.sample(1000), stays()

    days, expected = ((frame.end - frame.start).dt.days for frame in (samples, X))
    assert days.mean() == pytest.approx(expected.mean(), abs=0.3)
    assert days.max() <= expected.max()
    assert samples.end.min() >= X.end.min()
    assert samples.end.max() <= X.end.max()


def test_constraints_are_kept_under_conditions(of_stays):
    given = {"end": ("2024-06-01", "2024-12-31"), "total": (10, 16)}
    samples = of_stays.sample(50, given=given)

    assert samples.end.between("2024-06-01", "2024-12-31").all()
    assert samples.total.between(10, 16).all()
    assert (samples.start <= samples.end).all()
    assert (samples.total == samples.rooms + 2 * samples["unit price"]).all()
    samples = of_stays.sample(20, balance="kind")
    assert samples.kind.value_counts().tolist() == [10, 10]
    assert (samples.start <= samples.end).all()


def test_rows_are_scored_encoded_and_restored(of_stays):
    X = stays()

    assert np.isfinite(of_stays.score_samples(X)).all()
    assert np.isfinite(of_stays.transform(X)).all()
    restored = of_stays.reconstruct(X)
    np.testing.assert_allclose(
        restored.total, restored.rooms + 2 * restored["unit price"], atol=1.1
    )


def test_densities_are_those_of_the_columns():
    """A difference in place of a column changes no volume."""
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.exponential(size=(400, 2)), axis=1)

    score = fitted(X, ["x0 <= x1"], max_epochs=20).score(X)

    assert score == pytest.approx(-X[:, 1].mean(), abs=0.3)


def test_a_chain_of_columns():
    X = np.cumsum(np.random.default_rng(0).exponential(size=(200, 3)), axis=1)
    model = fitted(X.astype(np.float32), ["x0 <= x1 <= x2"], max_epochs=2)

    samples = model.sample(500)

    assert samples.dtype == np.float32
    assert (np.diff(samples, axis=1) >= 0).all()
    assert model.transform(X.astype(np.float32)).dtype == np.float32


def test_an_order_that_goes_round():
    x = np.arange(30.0)
    samples = fitted(np.column_stack([x, x, x + 1]), ["x0 == x1", "x1 == x0", "x0 < x2"]).sample(50)

    np.testing.assert_array_equal(samples[:, 0], samples[:, 1])
    assert (samples[:, 0] < samples[:, 2]).all()


def test_what_can_not_be_learned_is_drawn_again():
    """No column stands alone, or there are missing cells."""
    rng = np.random.default_rng(0)
    X = rng.random((300, 3))
    X = X[2 * X[:, 0] + X[:, 1] <= 0.5 + 2 * X[:, 2]]
    X[::7, 2] = np.nan

    samples = fitted(X, ["2 * x0 + x1 - 2 * x2 <= 0.5"], max_epochs=2).sample(300)

    assert not (2 * samples[:, 0] + samples[:, 1] - 2 * samples[:, 2] > 0.5 + 1e-9).any()
    assert np.isnan(samples[:, 2]).any()


@pytest.mark.parametrize("convert", [pl.from_pandas, lambda frame: frame.convert_dtypes()])
def test_other_frames(convert):
    samples = fitted(convert(stays()), RULES, max_epochs=1).sample(100)

    samples = samples.to_pandas() if isinstance(samples, pl.DataFrame) else samples
    assert (samples.start <= samples.end).all()
    assert (samples.total == samples.rooms + 2 * samples["unit price"]).all()


def test_whole_numbers_of_arrays():
    rng = np.random.default_rng(0)
    X = rng.poisson(3, (200, 2))
    X = np.column_stack([X, X.sum(axis=1)])

    samples = fitted(X, ["x2 == x0 + x1"], max_epochs=1).sample(200)

    assert samples.dtype == X.dtype
    np.testing.assert_array_equal(samples[:, :2].sum(axis=1), samples[:, 2])


def test_a_likelihood_of_counts():
    X = np.sort(np.random.default_rng(0).poisson(3, (100, 2)), axis=1)
    samples = fitted(X, ["x0 <= x1"], likelihood="poisson", max_epochs=2).sample(100)

    assert (samples[:, 0] <= samples[:, 1]).all()


def test_dates_and_text():
    model = fitted(stays(), ["start >= '2024-01-01'", "end > start - 0"][:1], max_epochs=0)

    assert (model.sample(50).start >= "2024-01-01").all()


# ---------------------------------------------------------------- fits


def test_training_rows_that_violate_a_constraint():
    X = stays()
    X.loc[[7, 20], "age"] = -1

    message = "'0 <= age < 120' is violated by 2 of 300 training rows, first by row 7"
    with pytest.raises(ValueError, match=message):
        fitted(X, RULES)


def test_sums_may_round():
    X = np.random.default_rng(0).random((50, 2)) * [1, 1e9]
    X = np.column_stack([X, X[:, 1] + X[:, 0] + 1e-7])

    samples = fitted(X, ["x2 == x0 + x1"], max_epochs=0).sample(9)

    np.testing.assert_array_equal(samples[:, 2], samples[:, 0] + samples[:, 1])


def test_missing_cells_violate_nothing():
    X = stays().astype({"age": float})
    X.loc[3, "age"] = np.nan

    fitted(X, ["age >= 0", "age <= rooms + 1000"], max_epochs=0).sample(5)


def test_a_warm_start_keeps_the_constraints():
    X = stays()
    model = fitted(X, RULES, warm_start=True, max_epochs=1).fit(X)
    assert (model.sample(50).start <= model.sample(50).end).all()

    with pytest.raises(ValueError, match=r"constraints=.* can't be taken up"):
        model.set_params(constraints=["age >= 0"]).fit(X)
    with pytest.raises(ValueError, match="violated by 1 of 300"):
        model.set_params(constraints=RULES).fit(X.assign(age=X.age.where(X.index != 2, -1)))


def test_stored_models_keep_the_constraints(of_stays):
    copy = pickle.loads(pickle.dumps(of_stays))

    pd.testing.assert_frame_equal(copy.sample(20), of_stays.sample(20))


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("age", "compares nothing"),
        ("age = 3", "can't be read from '= 3' on"),
        ("age != 3", "can't be read from '!= 3' on"),
        ("age >= ", "lacks a term"),
        ("age rooms <= 3", "lacks a sign before 'rooms'"),
        ("age * rooms <= 3", "product of columns"),
        ("__import__('os') <= 3", "can't be read from"),
        ("1 <= 2", "names no column"),
        ("ages >= 0", r"names the column 'ages'.*did you mean 'age'\?"),
        ("unit price >= 0", "lacks a sign before 'price'"),
        ("kind >= 0", "column 'kind' holds categories"),
        ("start <= age", "must compare dates with dates"),
        ("start <= 'soon'", "can't be read as datetime64"),
        ("age <= '3'", "compares numbers with the text '3'"),
        (3, "must be text, but one is 3"),
    ],
)
def test_constraints_that_make_no_sense(constraint, message):
    with pytest.raises(ValueError, match=message):
        fitted(stays(), [constraint])


def test_columns_of_arrays_have_names():
    with pytest.raises(ValueError, match="columns of an array are x0, x1 and so on"):
        fitted(np.eye(3), ["age >= 0"])


def test_a_chain_is_several_comparisons():
    first, second = comparisons_in("0 <= 2.5e1 * a - `b c` < 1")

    assert (first.relation, second.relation) == ("<=", "<")
    assert [(t.factor, t.column) for t in first.right] == [(25.0, "a"), (-1.0, "b c")]
    assert first.right == second.left
