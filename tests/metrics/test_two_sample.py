"""Telling samples apart: chance for one distribution, certainty for separated ones."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from skae.metrics import two_sample_auc
from skae.metrics._common_frame import as_frame, common_columns, suited_to_trees


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def mixed_frame(rng, n_rows=400, city_shares=(0.5, 0.3, 0.2)):
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, size=n_rows),
            "children": rng.integers(0, 4, size=n_rows),
            "city": rng.choice(["Bonn", "Kyiv", "Oslo"], p=city_shares, size=n_rows),
            "member": rng.random(n_rows) < 0.3,
            "since": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 999, n_rows), "D"),
        }
    )
    frame.loc[rng.random(n_rows) < 0.2, ["age", "city", "since"]] = None
    return frame


# ---------------------------------------------------------------- arrays


def test_one_distribution_cannot_be_told_apart(rng):
    X, Y = rng.normal(size=(2, 500, 4))

    assert two_sample_auc(X, Y, random_state=0) == pytest.approx(0.5, abs=0.05)


def test_separated_samples_are_told_apart(rng):
    X, Y = rng.normal(size=(2, 300, 4))

    assert two_sample_auc(X, Y + 10, random_state=0) > 0.99


def test_difference_beyond_the_moments_is_seen(rng):
    X = rng.normal(size=(1000, 1))
    Y = rng.choice([-1.0, 1.0], size=(1000, 1))

    assert two_sample_auc(X, Y, random_state=0) > 0.95


def test_order_of_the_samples_does_not_matter(rng):
    X, Y = rng.normal(size=(500, 2)), rng.normal(size=(300, 2)) + 0.7

    there, back = two_sample_auc(X, Y, random_state=0), two_sample_auc(Y, X, random_state=0)

    assert there == pytest.approx(back, abs=0.05)


def test_area_is_that_of_a_known_discriminant(rng):
    X, Y = rng.normal(size=(2, 3000, 1))
    Y += 1

    auc = two_sample_auc(X, Y, classifier=LinearDiscriminantAnalysis(), random_state=0)

    all_rows = np.concatenate([X, Y]).ravel()
    assert auc == pytest.approx(roc_auc_score(np.arange(6000) >= 3000, all_rows), abs=0.01)


def test_sorted_samples_are_shuffled(rng):
    """Folds of neighbouring rows would ask for what was not learned."""
    X, Y = np.sort(rng.random((2, 300, 1)), axis=1)

    auc = two_sample_auc(X, Y + 5, classifier=KNeighborsClassifier(), cv=KFold(3), random_state=0)

    assert auc == 1.0


def test_missing_numbers(rng):
    X, Y, complete = rng.normal(size=(3, 300, 2))
    X[rng.random((300, 2)) < 0.3] = np.nan
    Y[rng.random((300, 2)) < 0.3] = np.nan

    assert two_sample_auc(X, Y, random_state=0) == pytest.approx(0.5, abs=0.06)
    assert two_sample_auc(X, complete, random_state=0) > 0.65  # by what is missing


@pytest.mark.parametrize("n_known", [0, 1, 2])
def test_columns_of_hardly_any_numbers(rng, n_known):
    X, Y = rng.normal(size=(2, 100, 2))
    X[n_known:, 0] = Y[:, 0] = np.nan

    assert 0.3 < two_sample_auc(X, Y, random_state=0) < 0.7


@pytest.mark.parametrize("classifier", [LogisticRegression(), LinearSVC()])
def test_classifiers_with_probabilities_or_decisions(rng, classifier):
    X, Y = rng.normal(size=(2, 100, 2))

    assert two_sample_auc(X, Y + 3, classifier=classifier) > 0.95
    assert not hasattr(classifier, "coef_")


def test_random_state_repeats_the_result(rng):
    X, Y = rng.normal(size=(2, 60, 2))

    first, second, other = (two_sample_auc(X, Y, random_state=seed) for seed in (1, 1, 2))

    assert first == second != other


def test_global_random_state_is_left_alone(rng):
    X, Y = rng.normal(size=(2, 30, 2))
    before = np.random.get_state()[1].copy()  # noqa: NPY002

    two_sample_auc(X, Y, random_state=0)

    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# ---------------------------------------------------------------- frames


def test_frames_of_one_distribution(rng):
    X, Y = mixed_frame(rng), mixed_frame(rng)

    assert two_sample_auc(X, Y, random_state=0) == pytest.approx(0.5, abs=0.06)


def test_categories_tell_frames_apart(rng):
    X, Y = mixed_frame(rng), mixed_frame(rng, city_shares=(0.0, 0.1, 0.9))

    assert two_sample_auc(X, Y, random_state=0) > 0.6


@pytest.mark.parametrize(
    "stored",
    [
        {"city": "category"},
        {"city": object},
        {"children": float},
        {"children": "Int64"},
        {"member": int},
        {"member": "boolean"},
        {"member": object},
        {"since": "datetime64[s]"},
    ],
    ids=str,
)
def test_stored_type_gives_nothing_away(rng, stored):
    X, Y = mixed_frame(rng, 120), mixed_frame(rng, 120)
    name = next(iter(stored))

    actual, expected = (common_columns(X, other)[name] for other in (Y.astype(stored), Y))

    kinds = [np.unique(column.astype(str), return_inverse=True)[1] for column in (actual, expected)]
    np.testing.assert_array_equal(*kinds)


@pytest.mark.parametrize(
    "classifier",
    [
        None,
        HistGradientBoostingClassifier(max_iter=5, random_state=0),  # sees types of columns
        make_pipeline(
            make_column_transformer((OneHotEncoder(), ["city"]), (SimpleImputer(), ["age"])),
            LogisticRegression(),
        ),
    ],
    ids=["default", "types", "names"],
)
@pytest.mark.parametrize("city", [pl.String, pl.Categorical, pl.Enum(["Bonn", "Kyiv", "Oslo"])])
def test_polars_frames_are_as_good_as_those_of_pandas(rng, city, classifier):
    X, Y = mixed_frame(rng, 120), mixed_frame(rng, 120)
    polars_X, polars_Y = (
        pl.from_pandas(frame).with_columns(
            pl.col("city").cast(city), member=pl.col("member").replace({False: None})
        )
        for frame in (X, Y)
    )
    for frame in (X, Y):
        frame["member"] = frame["member"].astype("boolean").where(frame["member"])

    auc = two_sample_auc(polars_X, polars_Y, classifier=classifier, random_state=0)

    assert auc == two_sample_auc(X, Y, classifier=classifier, random_state=0)


def test_frames_are_left_alone(rng):
    X, Y = mixed_frame(rng, 60), mixed_frame(rng, 60)
    copies = X.copy(), Y.copy()

    two_sample_auc(X, Y, random_state=0)

    pd.testing.assert_frame_equal(X, copies[0])
    pd.testing.assert_frame_equal(Y, copies[1])


def test_columns_in_another_order_and_other_indices(rng):
    X, Y = mixed_frame(rng, 120), mixed_frame(rng, 120)

    auc = two_sample_auc(X, Y, random_state=0)

    shifted = Y.set_index(Y.index + 1000)[Y.columns[::-1]]
    assert two_sample_auc(X, shifted, random_state=0) == auc


def test_categories_are_those_of_both_frames():
    X = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": ["p", None]})
    Y = pd.DataFrame({"a": pd.Categorical(["z", "y"]), "b": ["q", "p"]})

    frame = as_frame(common_columns(X, Y), X)

    assert list(frame["a"].cat.categories) == ["x", "y", "z"]
    assert list(frame["a"]) == ["x", "y", "z", "y"]
    assert list(frame["b"].cat.categories) == ["p", "q"]
    assert list(frame["b"].isna()) == [False, True, False, False]


def test_values_of_several_kinds_in_a_column(rng):
    X, Y = (
        pd.DataFrame({"a": [[1, "two", None, (3, 4)][i] for i in rng.integers(0, 4, size=200)]})
        for _ in range(2)
    )

    assert two_sample_auc(X, Y, random_state=0) == pytest.approx(0.5, abs=0.1)


def test_very_many_categories(rng):
    names = [f"name {i}" for i in range(3000)]
    X, Y, strangers = (
        pd.DataFrame({"name": rng.choice(pool, size=600)})
        for pool in (names[:400], names[:400], names[400:])
    )

    assert two_sample_auc(X, Y, random_state=0) == pytest.approx(0.5, abs=0.08)
    assert two_sample_auc(X, strangers, random_state=0) > 0.6


def test_names_that_occur_once_tell_nothing():
    X, Y = (pd.DataFrame({"name": [f"{i}" for i in range(a, a + 300)]}) for a in (0, 300))

    assert two_sample_auc(X, Y, random_state=0) == 0.5


def test_many_categories_become_counts_in_both_samples():
    values = [f"{i}" for i in range(300)]
    X, Y = pd.DataFrame({"a": [*values, None]}), pd.DataFrame({"a": values[:2] + values[:1]})

    counts, is_category = suited_to_trees(common_columns(X, Y))

    np.testing.assert_array_equal(counts[:, 0], [3, 2, *[1] * 298, np.nan, 3, 2, 3])
    assert is_category == [False]


def test_columns_without_any_value(rng):
    X, Y = mixed_frame(rng, 100), mixed_frame(rng, 100)
    X["age"] = Y["age"] = np.nan
    X["city"] = Y["city"] = None

    assert 0.3 < two_sample_auc(X, Y, random_state=0) < 0.7
