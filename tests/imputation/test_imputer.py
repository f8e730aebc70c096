"""AutoencoderImputer: what it fills, what it leaves, how sure it is, and what it refuses."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderImputer

QUICK = {"max_epochs": 2, "random_state": 0}


def with_holes(X, share=0.3, seed=7):
    hidden = np.random.default_rng([seed, 1]).random(X.shape) < share
    return np.where(hidden, np.nan, X), hidden


@pytest.fixture(scope="module")
def table():
    """Columns that hang together by a curve, a threshold and a sum."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 400))
    noise = 0.1 * rng.normal(size=(3, 400))
    X = np.c_[x, y, x**2 + noise[0], (x > 0.3) + noise[1], x + y + noise[2]]
    return X * [1, 1e-6, 1e6, 1, 1] + [0, 0, 0, 1e4, 0]


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    group = rng.integers(3, size=200)
    frame = pd.DataFrame(
        {
            "number": group + 0.1 * rng.normal(size=200),
            "whole": pd.array(10 * group + 5, dtype="Int64"),
            "text": np.array(["a", "b", "c"])[group],
            "category": pd.Categorical(np.array(["x", "y", "z"])[group]),
            "truth": pd.array(group > 0, dtype="boolean"),
            "date": pd.Timestamp("2026-01-01") + pd.to_timedelta(group * 10, unit="D"),
            "single": (group * 2.0).astype(np.float32),
        }
    )
    hidden = np.random.default_rng(1).random(frame.shape) < 0.2
    return frame, frame.mask(hidden).astype(frame.dtypes.drop("text")), hidden


@pytest.fixture(scope="module")
def of_frame(frame):
    return AutoencoderImputer(max_epochs=15, random_state=0).fit(frame[1])


def relative_error(filled, X, hidden):
    scale = X.std(axis=0)
    return np.sqrt(np.mean((((filled - X) / scale)[hidden]) ** 2))


def test_corrections_are_nearer_than_the_normal_distribution(table):
    X, hidden = with_holes(table)
    train, test = slice(0, 300), slice(300, None)

    errors = [
        relative_error(imputer.fit(X[train]).transform(X[test]), table[test], hidden[test])
        for imputer in (
            AutoencoderImputer(max_epochs=40, random_state=0),
            AutoencoderImputer(max_epochs=0, random_state=0),
            KNNImputer(n_neighbors=10),
            SimpleImputer(),
        )
    ]

    assert errors[0] < 0.9 * min(errors[1:])


def test_normal_distribution_fills_linear_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 6)) + 0.01 * rng.normal(size=(500, 6))
    incomplete, hidden = with_holes(X, 0.2)

    filled = AutoencoderImputer(max_epochs=0, random_state=0).fit_transform(incomplete)

    assert relative_error(filled, X, hidden) < 0.25


def test_units_and_offsets_change_nothing(table):
    X, _ = with_holes(table[:100])
    other = X * 1024 + 2.0**20

    filled = AutoencoderImputer(**QUICK).fit_transform(X)
    of_other = AutoencoderImputer(**QUICK).fit_transform(other)

    difference = (of_other - 2.0**20) / 1024 - filled
    assert np.abs(difference / table.std(axis=0)).max() < 1e-3


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_observed_cells_stay_bit_for_bit(table, dtype):
    X, hidden = with_holes(table.astype(dtype))

    filled = AutoencoderImputer(**QUICK).fit_transform(X)

    assert filled.dtype == dtype
    assert not np.isnan(filled).any()
    np.testing.assert_array_equal(filled[~hidden], X[~hidden])


def test_columns_that_were_complete_in_fit_are_predicted(table):
    imputer = AutoencoderImputer(max_epochs=0, random_state=0).fit(table)
    X = table[:50].copy()
    X[:, 4] = np.nan

    filled = imputer.transform(X)

    assert np.corrcoef(filled[:, 4], table[:50, 4])[0, 1] > 0.9


def test_nothing_missing_changes_nothing(table):
    np.testing.assert_array_equal(AutoencoderImputer(**QUICK).fit_transform(table[:50]), table[:50])


def test_predictions_stay_within_the_range_of_training(table):
    X, _ = with_holes(table)
    imputer = AutoencoderImputer(**QUICK).fit(X)
    far = table[:20] * 1e3
    far[:, 4] = np.nan

    filled = imputer.transform(far)[:, 4]

    assert filled.min() >= np.nanmin(X[:, 4])
    assert filled.max() <= np.nanmax(X[:, 4])


def test_rows_without_any_value_get_what_is_usual(table):
    X, _ = with_holes(table)
    imputer = AutoencoderImputer(max_epochs=0, random_state=0).fit(X)

    filled = imputer.transform(np.full((1, 5), np.nan))[0]

    np.testing.assert_allclose(filled, np.nanmean(X, axis=0), atol=0.2 * np.nanstd(X, axis=0).max())


@pytest.mark.parametrize("n_rows", [1, 2, 5])
def test_few_rows(n_rows):
    X = np.arange(4.0 * n_rows).reshape(n_rows, 4)
    X[0, 1] = X[-1, 2] = np.nan if n_rows > 1 else 3.0

    assert np.isfinite(AutoencoderImputer(random_state=0).fit_transform(X)).all()


def test_one_column_gets_its_mean():
    X = np.array([[1.0], [2.0], [np.nan], [6.0]])

    filled = AutoencoderImputer(random_state=0).fit_transform(X)

    np.testing.assert_allclose(filled[2, 0], 3.0)


def test_constant_duplicated_and_collinear_columns(table):
    x = table[:100, :1]
    X = np.c_[x, x, 2 * x, np.full(100, 7.0)]
    incomplete, _ = with_holes(X, 0.2)

    filled = AutoencoderImputer(**QUICK).fit_transform(incomplete)

    assert (filled[:, 3] == 7).all()
    assert relative_error(filled[:, :3], X[:, :3], np.isnan(incomplete[:, :3])) < 0.5


def test_more_columns_than_rows():
    X = np.random.default_rng(0).normal(size=(15, 40))
    incomplete, _ = with_holes(X)

    assert np.isfinite(AutoencoderImputer(**QUICK).fit_transform(incomplete)).all()


def test_images_are_handed_over(monkeypatch):
    monkeypatch.setattr("skae.imputation._network_imputer._FEWEST_PIXELS", 16)
    X = np.random.default_rng(0).uniform(size=(12, 16))

    with pytest.warns(UserWarning, match=r"16 columns of one range.*AutoencoderDenoiser"):
        AutoencoderImputer(max_epochs=0, random_state=0).fit(X)


# ---------------------------------------------------------------------- frames


def test_frames_come_back_as_they_came(frame, of_frame):
    whole, incomplete, hidden = frame

    filled = of_frame.transform(incomplete)

    pd.testing.assert_index_equal(filled.columns, whole.columns)
    assert filled.dtypes.equals(incomplete.dtypes)
    assert not filled.isna().any().any()
    for j, name in enumerate(whole):
        seen = ~hidden[:, j]
        pd.testing.assert_series_equal(filled[name][seen], incomplete[name][seen])


def test_categories_are_predicted(frame, of_frame):
    whole, incomplete, hidden = frame

    filled = of_frame.transform(incomplete)

    for name in ("text", "category", "truth"):
        cells = hidden[:, whole.columns.get_loc(name)]
        assert (filled[name][cells] == whole[name][cells]).mean() > 0.9


def test_categories_that_a_number_stands_for_are_predicted():
    rng = np.random.default_rng(0)
    grade = rng.integers(6, size=300)
    table = pd.DataFrame({"years": grade + 8.0, "degree": np.array(list("dafceb"))[grade]})
    incomplete = table.assign(degree=table["degree"].mask(np.arange(300) >= 200))

    shares = [
        (imputer.fit_transform(incomplete)["degree"] == table["degree"])[200:].mean()
        for imputer in (
            AutoencoderImputer(max_epochs=1, random_state=0),
            AutoencoderImputer(max_epochs=0, random_state=0),
        )
    ]

    assert shares[0] > 0.95 > 0.7 > shares[1]  # one is a line through them


def test_polars_frames_come_back_as_they_came(frame):
    columns = ["number", "whole", "text", "truth", "date"]
    _, incomplete, hidden = frame
    rows = pl.from_pandas(incomplete[columns]).with_columns(
        pl.col("number").fill_null(float("nan"))
    )

    filled = AutoencoderImputer(**QUICK).fit(rows).transform(rows)

    assert filled.schema == rows.schema
    assert sum(filled.null_count().row(0)) == 0
    assert not filled["number"].is_nan().any()
    seen = ~hidden[:, 2]
    assert filled["text"].filter(seen).equals(rows["text"].filter(seen))


def test_names_may_be_numbers(table):
    rows = pd.DataFrame(with_holes(table[:60])[0])

    filled = AutoencoderImputer(**QUICK).fit(rows).transform(rows)

    assert filled.columns.tolist() == list(range(5))
    assert not filled.isna().any().any()


def test_every_draw_rests_on_rows_of_its_own(table):
    X = with_holes(table[:60])[0]
    imputer = AutoencoderImputer(max_epochs=0, random_state=0).fit(X)
    imputer._spread.errors[:] = 0  # nothing but the resampled rows makes draws differ

    draws = np.stack(imputer.sample_imputations(X, 10))

    hole = np.isnan(X[:, 0]).argmax()
    assert len(np.unique(draws[:, hole, 0])) == 10


def test_index_of_a_frame_stays(of_frame, frame):
    rows = frame[1].iloc[[5, 3, 8]]

    assert of_frame.transform(rows).index.tolist() == [5, 3, 8]


def test_single_rows_keep_their_dtypes(of_frame, frame):
    for i in range(5):
        assert of_frame.transform(frame[1].iloc[[i]]).dtypes.equals(frame[1].dtypes)


def test_a_category_that_was_not_there_in_fit_stays(of_frame, frame):
    rows = frame[1].head(3).copy()
    rows["text"] = ["new", None, "a"]

    filled = of_frame.transform(rows)

    assert filled["text"].tolist()[0] == "new"
    assert filled["text"].isna().sum() == 0


def test_whole_numbers_stay_whole_and_are_rounded(frame, of_frame):
    filled = of_frame.transform(frame[1])

    assert filled["whole"].dtype == "Int64"
    assert filled["date"].dt.normalize().equals(filled["date"])


@pytest.mark.parametrize("sentinel", [-999, -999.0])
def test_a_sentinel_of_an_array_of_integers(sentinel):
    X = np.arange(60).reshape(20, 3)
    X[4, 1] = X[9, 2] = -999

    filled = AutoencoderImputer(missing_values=sentinel, **QUICK).fit_transform(X)

    assert filled.dtype == X.dtype
    assert (filled != -999).all()
    assert ((filled == X) | (X == -999)).all()


def test_a_sentinel_of_a_frame(frame):
    rows = frame[0][["number", "text"]].copy()
    rows.loc[3:9, "text"] = "?"

    filled = AutoencoderImputer(missing_values="?", **QUICK).fit_transform(rows)

    assert set(filled["text"]) == {"a", "b", "c"}


# ---------------------------------------------------------------------- scikit-learn


def test_indicator_and_names(frame):
    rows = frame[1][["number", "text"]].assign(complete=1.0 + np.arange(200))
    imputer = AutoencoderImputer(add_indicator=True, **QUICK).fit(rows)

    filled = imputer.transform(rows)

    names = ["number", "text", "complete", "missingindicator_number", "missingindicator_text"]
    assert filled.columns.tolist() == names == imputer.get_feature_names_out().tolist()
    assert filled["missingindicator_text"].tolist() == rows["text"].isna().tolist()


@pytest.mark.parametrize("keep", [False, True])
def test_empty_columns(table, keep):
    X, _ = with_holes(table[:60])
    X[:, 2] = np.nan
    imputer = AutoencoderImputer(keep_empty_features=keep, **QUICK)

    with pytest.warns(UserWarning, match=r"without any value .*: \[2\]"):
        imputer.fit(X)

    filled = imputer.transform(table[:3])
    assert filled.shape == (3, 5 if keep else 4)
    if keep:
        np.testing.assert_array_equal(filled[:, 2], table[:3, 2])
        assert (imputer.transform(X)[:, 2] == 0).all()


def test_grid_search_in_a_pipeline(table):
    X, _ = with_holes(table[:90])
    pipeline = make_pipeline(StandardScaler(), AutoencoderImputer(**QUICK))

    search = GridSearchCV(pipeline, {"autoencoderimputer__max_epochs": [0, 3]}, cv=2).fit(X)

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_score_is_zero_for_the_mean_and_one_at_best(table):
    whole, _ = with_holes(table, 0.05)
    noise = np.random.default_rng(0).normal(size=(300, 4))

    good = AutoencoderImputer(max_epochs=15, random_state=0).fit(whole).score(whole)
    none = AutoencoderImputer(max_epochs=0, random_state=0).fit(noise).score(noise)

    assert 0.6 < good <= 1
    assert abs(none) < 0.1


def test_held_out_errors_are_those_of_new_rows(table):
    X, _ = with_holes(table, 0.1)
    imputer = AutoencoderImputer(max_epochs=15, random_state=0).fit(X[:300])
    incomplete, hidden = with_holes(table[300:], 0.3, seed=9)

    filled = imputer.transform(incomplete)

    errors = [np.sqrt(np.mean((filled - table[300:])[hidden[:, j], j] ** 2)) for j in range(5)]
    assert (imputer.held_out_errors_ < imputer.baseline_errors_).sum() >= 4
    assert np.abs(np.log2(imputer.held_out_errors_ / errors)).max() < 1


# ---------------------------------------------------------------------- many times


@pytest.fixture(scope="module")
def cancer():
    X = load_breast_cancer().data
    incomplete, hidden = with_holes(X)
    imputer = AutoencoderImputer(max_epochs=5, random_state=0).fit(incomplete[:400])
    return imputer, X[400:], incomplete[400:], hidden[400:]


def test_intervals_hold_what_they_promise(cancer):
    imputer, X, incomplete, hidden = cancer

    low, high = imputer.impute_intervals(incomplete, level=0.9)

    inside = ((low <= X) & (high >= X))[hidden].mean()
    assert 0.85 < inside < 0.96
    np.testing.assert_array_equal(low[~hidden], X[~hidden])


def test_draws_are_as_wide_as_intervals(cancer):
    imputer, X, incomplete, hidden = cancer

    draws = np.stack(imputer.sample_imputations(incomplete, 40))

    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    assert 0.8 < ((low <= X) & (high >= X))[hidden].mean() < 0.97
    np.testing.assert_array_equal(draws[:, ~hidden], np.broadcast_to(X, draws.shape)[:, ~hidden])


def test_draws_are_seeded(cancer):
    imputer, _, incomplete, _ = cancer

    first, again = (imputer.sample_imputations(incomplete, 2, random_state=3) for _ in range(2))

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])


def test_draws_of_frames_have_categories(of_frame, frame):
    draws = of_frame.sample_imputations(frame[1], 3)

    assert all(draw.dtypes.equals(frame[1].dtypes) for draw in draws)
    assert all(set(draw["text"]) <= {"a", "b", "c"} for draw in draws)


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.full((5, 2), np.nan), "no values"),
        (np.array([[1.0, np.inf], [2.0, 3.0]]), "infinity"),
        (np.array([["a", "b"], ["c", "d"]], dtype=object), "data frame"),
    ],
)
def test_bad_input(X, message):
    with pytest.raises(ValueError, match=message):
        AutoencoderImputer().fit(X)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_text_for_missing_numbers_is_refused(container):
    with pytest.raises(ValueError, match="missing_values='-9' is text, but X holds numbers"):
        AutoencoderImputer(missing_values="-9").fit(container([[1.0, -9.0], [2.0, 3.0]]))


@pytest.mark.parametrize("libraries", [(pd, pl), (pl, pd)])
def test_a_frame_of_another_library_is_refused(libraries):
    fitted, given = (each.DataFrame({"a": [1.0, None, 3.0], "b": [1, 2, 3]}) for each in libraries)

    with pytest.raises(ValueError, match=f"were one of {libraries[0].__name__}: convert it"):
        AutoencoderImputer(**QUICK).fit(fitted).transform(given)


def test_sparse_input_is_refused():
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        AutoencoderImputer().fit(sparse.csr_array(np.eye(5)))


def test_arrays_in_place_of_frames_are_refused(of_frame):
    with pytest.raises(ValueError, match="data frame"):
        of_frame.transform(np.zeros((2, 7)))


def test_a_failing_fit_leaves_the_one_before(table):
    imputer = AutoencoderImputer(**QUICK).fit(table[:50])
    before = imputer.transform(table[:5])

    with pytest.raises(ValueError, match="no values"):
        imputer.fit(np.full((5, 5), np.nan))

    np.testing.assert_array_equal(imputer.transform(table[:5]), before)
