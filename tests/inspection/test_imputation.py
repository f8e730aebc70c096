import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae.inspection import ImputationDisplay

RNG = np.random.default_rng(0)


@pytest.fixture
def X():
    rows = np.random.default_rng(0).normal(size=(60, 4))
    rows[:10, 0] = rows[:20, 2] = np.nan
    return rows


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "age": [1.0, None, 3.0, 4.0],
            "city": ["Bonn", "Oslo", None, "Bonn"],
            "since": pd.to_datetime(["2020-01-01", None, "2021-01-01", "2022-01-01"]),
            "whole": [1, 2, 3, 4],
        }
    )


@pytest.fixture
def filled(frame):
    since = frame["since"].fillna(pd.Timestamp("2020-06-01"))
    return frame.assign(age=[1.0, 2.5, 3.0, 4.0], city=list("BOKB"), since=since)


def titles(display):
    return [panel.get_title(loc="left") for panel in display.axes_]


def captions(display):
    return [panel.texts[0].get_text() for panel in display.axes_]


def heights(histogram):
    return np.nan_to_num(histogram.get_data().values)


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_observed_and_imputed_values_of_an_array(X):
    display = ImputationDisplay.from_estimator(SimpleImputer().fit(X), X)

    assert list(display.observed) == list(display.imputed) == ["x0", "x2"]
    np.testing.assert_array_equal(display.observed["x0"], X[10:, 0])
    np.testing.assert_allclose(display.imputed["x2"], [X[20:, 2].mean()] * 20)
    assert titles(display) == ["x0", "x2"]
    assert captions(display) == ["10 of 60 imputed", "20 of 60 imputed"]


def test_each_group_is_drawn_by_its_own_shares(X):
    display = ImputationDisplay.from_estimator(SimpleImputer().fit(X), X)

    for histograms in display.histograms_.values():
        assert [heights(h).sum() for h in histograms] == pytest.approx([1, 1])
        np.testing.assert_array_equal(*(h.get_data().edges for h in histograms))
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["observed", "imputed"]


@pytest.mark.parametrize("columns", [[3, "x0"], ["x3", 0]])
def test_named_columns_need_no_imputed_values(X, columns):
    display = ImputationDisplay.from_estimator(SimpleImputer().fit(X), X, columns=columns)

    assert titles(display) == ["x3", "x0"]
    assert captions(display)[0] == "0 of 60 imputed"


def test_columns_with_the_most_imputed_values_are_drawn():
    X = RNG.normal(size=(40, 20))
    for j in range(20):
        X[: (7 * j) % 20, j] = np.nan

    display = ImputationDisplay.from_estimator(SimpleImputer().fit(X), X)

    n_missing = np.isnan(X).sum(axis=0)
    assert titles(display) == [f"x{j}" for j in range(20) if n_missing[j] >= 8]


def test_names_of_features(X):
    display = ImputationDisplay.from_predictions(X, np.nan_to_num(X), feature_names=list("abcd"))

    assert titles(display) == ["a", "c"]


@pytest.mark.parametrize("library", [pd, pl])
def test_frames_with_columns_of_all_kinds(frame, filled, library):
    if library is pl:
        frame, filled = pl.from_pandas(frame), pl.from_pandas(filled)

    display = ImputationDisplay.from_predictions(frame, filled)

    assert {name: list(values) for name, values in display.imputed.items()} == {
        "age": [2.5],
        "city": ["K"],
        "since": [np.datetime64("2020-06-01")],
    }
    assert list(display.observed["city"]) == ["Bonn", "Oslo", "Bonn"]
    assert list(display.histograms_) == ["age", "since"]
    assert list(display.bars_) == ["city"]


@pytest.mark.parametrize(
    "order", [["age", "city", "since", "whole"], ["whole", "city", "since", "age"]]
)
def test_frames_are_matched_by_the_names_of_columns(frame, filled, order):
    display = ImputationDisplay.from_predictions(frame, filled[order])

    assert list(display.imputed["age"]) == [2.5]


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_imputers_that_make_objects_of_frames(frame, output):
    frame = frame.drop(columns="since")
    imputer = SimpleImputer(strategy="most_frequent").set_output(transform=output).fit(frame)

    display = ImputationDisplay.from_estimator(imputer, frame)

    assert list(display.imputed["age"]) == [1.0]
    assert list(display.imputed["city"]) == ["Bonn"]


def test_array_made_of_a_polars_frame():
    frame = pl.DataFrame({"a": [1.0, None, 3.0], "b": [1, 2, None]})

    display = ImputationDisplay.from_predictions(frame, [[1.0, 2.0], [2.0, 2.0], [3.0, 1.5]])

    assert {name: list(values) for name, values in display.imputed.items()} == {
        "a": [2.0],
        "b": [1.5],
    }


def test_durations_are_numbers_of_days():
    frame = pd.DataFrame({"wait": pd.to_timedelta([1.5, None, 3], "D")})

    display = ImputationDisplay.from_predictions(frame, frame.fillna(pd.Timedelta("12h")))

    assert list(display.observed["wait"]) == [1.5, 3]
    assert list(display.imputed["wait"]) == [0.5]


def test_pipeline(X):
    pipeline = make_pipeline(StandardScaler(), SimpleImputer()).fit(X)

    display = ImputationDisplay.from_estimator(pipeline, X)

    np.testing.assert_allclose(display.imputed["x0"], 0, atol=1e-12)


def test_cells_that_stay_missing_are_left_out(X):
    partly = X.copy()
    partly[0, 0] = 1.0

    display = ImputationDisplay.from_predictions(X, partly)

    assert captions(display) == ["1 of 51 imputed"]


def test_column_without_observed_values():
    X = np.full((5, 1), np.nan)

    display = ImputationDisplay.from_predictions(X, np.arange(5.0)[:, None])

    assert captions(display) == ["5 of 5 imputed"]
    assert [heights(h).sum() for h in display.histograms_["x0"]] == pytest.approx([0, 1])


def test_column_without_any_value():
    display = ImputationDisplay.from_predictions([[np.nan]], [[np.nan]], columns=[0])

    assert captions(display) == ["0 of 0 imputed"]
    assert display.histograms_ == {}


def test_whole_numbers_have_a_bar_each():
    display = ImputationDisplay({"n": [0, 1, 1, 3]}, {"n": [1.0, 2.2]}).plot()

    observed, imputed = map(heights, display.histograms_["n"])
    np.testing.assert_allclose(observed, [0.25, 0.5, 0, 0.25])
    np.testing.assert_allclose(imputed, [0, 0.5, 0.5, 0])


def test_many_whole_numbers_share_bars_evenly():
    display = ImputationDisplay({"n": np.arange(1000)}, {"n": [5]}).plot()

    observed = heights(display.histograms_["n"][0])
    np.testing.assert_allclose(observed[:-1], observed[0])


def test_far_tails_of_observed_and_imputed_values_are_marked():
    values = RNG.normal(size=200)
    display = ImputationDisplay({"n": np.append(values, 1e6)}, {"n": [-1e6, 0.0]}).plot()

    observed, imputed = map(heights, display.histograms_["n"])
    assert observed[-1] == pytest.approx(1 / 201)
    assert imputed[0] == 0.5
    labels = ticks(display.axes_[0].xaxis)
    assert [sum(mark in label for label in labels) for mark in "≤≥"] == [1, 1]


@pytest.mark.parametrize("unit", ["s", "m", "h", "D", "M", "Y"])
@pytest.mark.parametrize("n", [1, 2, 5, 20, 90])
def test_dates_of_any_span(unit, n):
    dates = np.datetime64("2020-01-01T00:00:00", "s") + np.array([0, n]).astype(
        f"m8[{unit}]" if unit not in "MY" else "m8[D]"
    ) * {"M": 30, "Y": 365}.get(unit, 1)

    with warnings.catch_warnings(action="error"):
        display = ImputationDisplay({"date": dates}, {"date": dates[:1]}).plot()
        display.figure_.draw_without_rendering()

    assert any(ticks(display.axes_[0].xaxis))


def test_bars_are_shares_of_categories_the_most_frequent_first():
    display = ImputationDisplay({"c": list("abbb")}, {"c": list("ca")}).plot()

    observed, imputed = ([bar.get_width() for bar in bars] for bars in display.bars_["c"])
    assert ticks(display.axes_[0].yaxis) == ["b", "a", "c"]
    assert observed == [0.75, 0.25, 0]
    assert imputed == [0, 0.5, 0.5]


def test_rare_categories_are_counted_together():
    observed = [f"kind {i}" for i in range(10) for _ in range(20 - i)]
    display = ImputationDisplay({"c": observed}, {"c": ["kind 8", "kind 9"]}).plot()

    assert ticks(display.axes_[0].yaxis) == [f"kind {i}" for i in range(5)] + ["5 others"]
    assert [bars[-1].get_width() for bars in display.bars_["c"]] == [
        pytest.approx((15 + 14 + 13 + 12 + 11) / len(observed)),
        1,
    ]


def test_numbers_beside_labels_are_labels():
    display = ImputationDisplay({"c": [1, 2]}, {"c": ["b"]}).plot()

    assert sorted(ticks(display.axes_[0].yaxis)) == ["1.0", "2.0", "b"]


def test_keywords_override_the_defaults():
    display = ImputationDisplay({"n": [0.5, 1.0], "c": ["a", "b"]}, {"n": [0.7], "c": ["a"]}).plot(
        bins=7, histogram_kwargs={"lw": 3}, bar_kwargs={"fc": "red"}
    )

    assert len(heights(display.histograms_["n"][0])) == 7
    assert display.histograms_["n"][1].get_linewidth() == 3
    assert display.bars_["c"][0][0].get_facecolor() == (1, 0, 0, 1)


def test_data_are_left_alone(frame, filled):
    copies = frame.copy(), filled.copy()

    ImputationDisplay.from_predictions(frame, filled)

    pd.testing.assert_frame_equal(frame, copies[0])
    pd.testing.assert_frame_equal(filled, copies[1])


def test_estimator_without_transform():
    with pytest.raises(TypeError, match="estimator must have transform; object has none"):
        ImputationDisplay.from_estimator(object(), [[1.0, np.nan]])


def test_nothing_is_imputed(X):
    with pytest.raises(ValueError, match=r"X_imputed fills no cell that is missing in X.*columns="):
        ImputationDisplay.from_predictions(X, X)


@pytest.mark.parametrize(
    ("X_imputed", "message"),
    [
        (np.ones((4, 3)), r"X and X_imputed must have the same shape, got \(4, 4\) and \(4, 3\)"),
        (np.ones((3, 4)), r"len\(X\)=4, len\(X_imputed\)=3"),
        (pd.DataFrame(np.ones((4, 2)), columns=["age", "z"]), r"only X_imputed has \['z'\]"),
    ],
)
def test_rows_that_do_not_fit(frame, X_imputed, message):
    with pytest.raises(ValueError, match=message):
        ImputationDisplay.from_predictions(frame, X_imputed)
    if isinstance(X_imputed, np.ndarray):
        numbers = np.full((4, 4), np.nan)
        with pytest.raises(ValueError, match=message):
            ImputationDisplay.from_predictions(numbers, X_imputed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["x9"]}, r"columns must be names or positions from 0 to 3, got \['x9'\]"),
        ({"columns": []}, "columns must be names or positions from 0 to 3"),
        ({"bins": 0}, "bins must be at least 1, got 0"),
        ({"feature_names": ["a"]}, r"feature_names must have shape \(4,\)"),
        ({"feature_names": list("abca")}, r"must have different names, twice: \['a'\]"),
    ],
)
def test_bad_options(X, options, message):
    with pytest.raises(ValueError, match=message):
        ImputationDisplay.from_predictions(X, np.nan_to_num(X), **options)


@pytest.mark.parametrize(
    ("observed", "imputed", "message"),
    [
        ({}, {}, "must be of the same columns, at least one"),
        ({"a": [1]}, {"b": [1]}, r"must be of the same columns.*\['a'\] and \['b'\]"),
        ({"a": [[1]]}, {"a": [1]}, r"observed\['a'\] must have shape \(n_values,\), got shape"),
        ({"a": [1]}, {"a": [np.nan]}, r"imputed\['a'\] has 1 values that are missing"),
        ({"a": ["b", None]}, {"a": ["b"]}, r"observed\['a'\] has 1 values that are missing"),
    ],
)
def test_bad_columns(observed, imputed, message):
    with pytest.raises(ValueError, match=message):
        ImputationDisplay(observed, imputed)
