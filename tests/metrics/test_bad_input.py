"""Messages say which array or parameter is wrong, what was found and what is allowed."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.cluster import AgglomerativeClustering
from sklearn.linear_model import LogisticRegression

from skae.metrics import (
    density_coverage,
    distance_to_closest_record,
    energy_distance,
    frechet_distance,
    precision_recall,
    train_on_synthetic_score,
    two_sample_auc,
)

X = np.random.default_rng(0).normal(size=(20, 3))
Y = np.arange(20) % 2
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])

# Each metric with the names of its arrays.
PAIRS = {
    frechet_distance: ("X", "Y"),
    energy_distance: ("X", "Y"),
    precision_recall: ("X_real", "X_generated"),
    density_coverage: ("X_real", "X_generated"),
    distance_to_closest_record: ("X_generated", "X_train"),
    two_sample_auc: ("X", "Y"),
}
EACH_ARRAY = [(metric, position) for metric in PAIRS for position in (0, 1)]


def with_value(value):
    changed = X.copy()
    changed[3, 2] = value
    return changed


def call(metric, position, bad):
    arrays = [X, X]
    arrays[position] = bad
    metric(*arrays)


@pytest.mark.parametrize(("metric", "position"), EACH_ARRAY)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (X[0], "{name}: Expected 2D array, got 1D array instead"),
        (X[None], "{name}: Found array with dim 3"),
        ([["a"], ["b"]], "{name}: could not convert string to float: 'a'"),
        (X[:, :0], r"{name}: Found array with 0 feature\(s\)"),
        (X[:0], r"needs at least \d rows? in {name}, got 0"),
        (with_value(np.inf), "Input {name} contains infinity"),
        (with_value(-1e160), r"{name} has values up to 1e\+160, too large"),
        (np.ma.masked_greater(X, 1), r"{name} has \d+ masked values"),
    ],
    ids=["1d", "3d", "text", "no columns", "no rows", "infinite", "too large", "masked"],
)
def test_array(metric, position, bad, message):
    name = PAIRS[metric][position]

    with pytest.raises(ValueError, match=message.format(name=name)):
        call(metric, position, bad)


@pytest.mark.parametrize(
    ("metric", "position"), [pair for pair in EACH_ARRAY if pair[0] is not two_sample_auc]
)
def test_missing_value(metric, position):
    with pytest.raises(ValueError, match=f"Input {PAIRS[metric][position]} contains NaN"):
        call(metric, position, with_value(np.nan))


@pytest.mark.parametrize(("metric", "position"), EACH_ARRAY)
def test_no_array(metric, position):
    name = PAIRS[metric][position]

    with pytest.raises(ValueError, match=f"The '{name}' parameter of {metric.__name__} must be"):
        call(metric, position, 3)


@pytest.mark.parametrize(("metric", "position"), EACH_ARRAY)
def test_sparse_array(metric, position):
    name = PAIRS[metric][position]

    with pytest.raises(ValueError, match=f"The '{name}' parameter of .* must be an array-like"):
        call(metric, position, sparse.csr_array(X))


@pytest.mark.parametrize("metric", PAIRS)
def test_different_numbers_of_columns(metric):
    message = "{} and {} must have the same columns, got 3 and 2 of them".format(*PAIRS[metric])

    with pytest.raises(ValueError, match=message):
        metric(X, X[:, :2])


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("metric", [metric for metric in PAIRS if metric is not two_sample_auc])
def test_columns_of_frames_in_another_order(metric, library):
    A, B = X[:, :2], X[:, 1:] ** 3
    frame, other = (library.DataFrame(dict(zip("ab", Z.T, strict=True))) for Z in (A, B))

    np.testing.assert_equal(metric(frame, other[["b", "a"]]), metric(frame, other))


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("metric", PAIRS)
def test_other_columns_of_frames(metric, library):
    frame, other = (
        library.DataFrame(dict(zip(names, X.T, strict=True))) for names in ("abc", "azc")
    )

    with pytest.raises(ValueError, match="must have the same columns") as error:
        metric(frame, other)

    for name, column in zip(PAIRS[metric], "bz", strict=True):
        assert f"only {name} has ['{column}']" in str(error.value)


def test_columns_of_held_out_frame_in_another_order():
    holdout = FRAME[["c", "a", "b"]]

    assert distance_to_closest_record(FRAME, FRAME, holdout).share_closer_to_train == 0.5


def test_other_columns_of_held_out_frame():
    other = FRAME.rename(columns={"b": "z"})

    with pytest.raises(ValueError, match=r"only X_holdout has \['z'\]"):
        distance_to_closest_record(FRAME, FRAME, other)


@pytest.mark.parametrize(
    ("metric", "position"), [pair for pair in EACH_ARRAY if pair[0] is not two_sample_auc]
)
@pytest.mark.parametrize(
    "values",
    [["x", "y"] * 10, pd.Categorical(["x", "y"] * 10), pd.date_range("2020", periods=20)],
    ids=["text", "category", "date"],
)
def test_frame_with_columns_of_no_numbers(metric, position, values):
    message = rf"{PAIRS[metric][position]} must have columns of numbers .* in \['b'\]. Encode"

    with pytest.raises(ValueError, match=message):
        call(metric, position, FRAME.assign(a=True, b=values))


def test_polars_frame_with_columns_of_no_numbers():
    frame = pl.DataFrame({"a": [True, None], "b": ["x", "y"], "c": [1, None]})

    with pytest.raises(ValueError, match=r"X must have columns of numbers .* in \['b'\]. Encode"):
        frechet_distance(frame, frame)


def test_columns_of_held_out_rows():
    message = "X_holdout and X_train must have the same columns, got 2 and 3 of them"

    with pytest.raises(ValueError, match=message):
        distance_to_closest_record(X, X, X[:, :2])


def test_missing_value_in_held_out_rows():
    with pytest.raises(ValueError, match="Input X_holdout contains NaN"):
        distance_to_closest_record(X, X, with_value(np.nan))


@pytest.mark.parametrize(
    ("metric", "arrays", "options", "message"),
    [
        (frechet_distance, (X[:1], X), {}, "A covariance needs at least 2 rows in X, got 1"),
        (frechet_distance, (X, X[:1]), {}, "A covariance needs at least 2 rows in Y, got 1"),
        (precision_recall, (X[:3], X), {}, "n_neighbors=3 needs at least 4 rows in X_real, got 3"),
        (precision_recall, (X, X[:3]), {}, "at least 4 rows in X_generated, got 3"),
        (
            density_coverage,
            (X, X),
            {"n_neighbors": 20},
            "n_neighbors=20 needs at least 21 rows in X_real, got 20",
        ),
        (two_sample_auc, (X[:2], X), {}, "cv=3 needs at least 3 rows in X, got 2"),
        (two_sample_auc, (FRAME, FRAME[:4]), {"cv": 5}, "cv=5 needs at least 5 rows in Y, got 4"),
    ],
)
def test_too_few_rows(metric, arrays, options, message):
    with pytest.raises(ValueError, match=message):
        metric(*arrays, **options)


def test_density_of_a_single_row():
    assert density_coverage(X, X[:1]).coverage > 0


@pytest.mark.parametrize("metric", [precision_recall, density_coverage])
@pytest.mark.parametrize("n_neighbors", [0, 2.5, "3"])
def test_number_of_neighbors(metric, n_neighbors):
    message = f"The 'n_neighbors' parameter of {metric.__name__} must be an int in the range"

    with pytest.raises(ValueError, match=message):
        metric(X, X, n_neighbors=n_neighbors)


@pytest.mark.parametrize(
    ("option", "value"),
    [("cv", 1), ("cv", "3"), ("classifier", AgglomerativeClustering()), ("random_state", -1)],
)
def test_options_of_two_sample_auc(option, value):
    with pytest.raises(ValueError, match=f"The '{option}' parameter of two_sample_auc must be"):
        two_sample_auc(X, X, **{option: value})


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((FRAME, X), "both be data frames or both be arrays, got DataFrame and ndarray"),
        (
            (FRAME[["a", "a", "b"]], FRAME),
            "The columns of X must have different names, twice: ['a']",
        ),
        ((FRAME[[]], FRAME[[]]), "X and Y must have columns"),
    ],
)
def test_frames(arrays, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        two_sample_auc(*arrays)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((X, Y[:9], X, Y), "X_synthetic and y_synthetic must be of the same length, got 20 and 9"),
        ((X, Y, X, Y[:9]), "X_test and y_test must be of the same length, got 20 and 9 rows"),
        (
            (X, Y, X[:, :2], Y),
            "X_synthetic and X_test must have the same columns, got shapes (20, 3) and (20, 2)",
        ),
        (
            (FRAME, Y, FRAME[["a", "b"]], Y),
            "the same columns, only X_synthetic has ['c'] and only X_test has []",
        ),
    ],
)
def test_train_on_synthetic(arrays, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        train_on_synthetic_score(LogisticRegression(), *arrays)


def test_estimator_that_cannot_be_fitted():
    with pytest.raises(ValueError, match="The 'estimator' parameter of train_on_synthetic_score"):
        train_on_synthetic_score("ridge", X, Y, X, Y)


def test_unknown_scoring():
    with pytest.raises(ValueError, match="'accurate'"):
        train_on_synthetic_score(LogisticRegression(), X, Y, X, Y, scoring="accurate")
