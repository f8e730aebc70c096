import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae.inspection import OutlierExplanationDisplay

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 12))


class Distance(BaseEstimator):
    """Expects zeros, and calls rows outliers whose squared distance is above a limit."""

    def __init__(self, limit=15.0):
        self.limit = limit

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def feature_errors(self, X):
        return np.nan_to_num(np.asarray(X, dtype=float)) ** 2

    def decision_function(self, X):
        return self.limit - self.feature_errors(X).sum(axis=1)

    def reconstruct(self, X):
        return np.zeros(np.shape(X))


class Detector:
    """Has its model inside, as AutoencoderOutlierDetector has."""

    feature_names_in_ = np.array([f"feature {i}" for i in range(12)])

    def __init__(self, estimator_=None):
        self.estimator_ = estimator_

    def feature_errors(self, X):
        return np.square(X)


def tick_labels(display, row):
    return [label.get_text() for label in display.axes_[row].get_yticklabels()]


def captions(display):
    return [panel.get_title(loc="left") for panel in display.axes_]


def test_worst_alarms_are_drawn_worst_first():
    display = OutlierExplanationDisplay.from_estimator(Distance(), X)
    worst = np.argsort(-np.square(X).sum(axis=1))[:3]

    np.testing.assert_array_equal(display.X, X[worst])
    np.testing.assert_array_equal(display.row_names, worst)
    np.testing.assert_allclose(display.scores_, -np.square(X[worst]).sum(axis=1))


def test_rows_that_are_no_alarm_are_left_out():
    second, third = np.sort(np.square(X).sum(axis=1))[[-2, -3]]
    display = OutlierExplanationDisplay.from_estimator(Distance((second + third) / 2), X)

    assert len(display.axes_) == 2


def test_no_alarm():
    with pytest.raises(
        ValueError, match=r"none of the 40 rows of X is an alarm: .*rows=\[\.\.\.\]"
    ):
        OutlierExplanationDisplay.from_estimator(Distance(1e9), X)


def test_named_rows_need_be_no_alarms():
    display = OutlierExplanationDisplay.from_estimator(Distance(1e9), X, rows=[7, 2])

    np.testing.assert_array_equal(display.X, X[[7, 2]])


def test_bars_are_the_largest_contributions():
    display = OutlierExplanationDisplay.from_estimator(Distance(), X, n_features=4)
    widths = [bar.get_width() for bar in display.bars_[0]]

    np.testing.assert_array_equal(widths, np.sort(np.square(display.X[0]))[:-5:-1])
    assert display.images_ is None


def test_bars_name_feature_value_and_expectation():
    display = OutlierExplanationDisplay(
        [[525.6, 1.0, np.nan, 123456.7]],
        [[3.0, 1.0, 2.0, 0.5]],
        expected=[[411.8, 0.0, -0.5, 1.25e10]],
        feature_names=["area error", "radius", "age", "price"],
    ).plot()

    assert tick_labels(display, 0) == [
        "area error 525.6, expected 411.8",
        "age missing, expected -0.5",
        "radius 1, expected 0",
        "price 123,457, expected 1.25e+10",
    ]


def test_nothing_is_said_about_expectations_that_are_not_known():
    display = OutlierExplanationDisplay([[1.0, 2.0]], [[0.5, 1.0]]).plot()

    assert tick_labels(display, 0) == ["x1 2", "x0 1"]


def test_captions_say_which_row_its_score_and_the_share_that_is_drawn():
    display = OutlierExplanationDisplay(
        np.ones((2, 3)), [[6.0, 3.0, 3.0], [0.0, 0.0, 0.0]], row_names=["north", "south"]
    ).plot(n_features=2)

    assert captions(display) == ["row north: score -12.0, 75% of it shown", "row south: score 0.00"]


def test_panels_share_the_scale_of_contributions():
    display = OutlierExplanationDisplay(X[:2], np.square(X[:2]) * [[1], [100]]).plot()

    assert display.axes_[0].get_xlim() == display.axes_[1].get_xlim()


def test_dataframe_names_rows_and_features():
    frame = pd.DataFrame(
        X, columns=[f"c{i}" for i in range(12)], index=[f"r{i}" for i in range(40)]
    )
    display = OutlierExplanationDisplay.from_estimator(Distance(), frame, rows=[5])

    assert list(display.row_names) == ["r5"]
    assert list(display.feature_names) == list(frame.columns)


def test_features_have_the_names_that_the_detector_has_seen():
    display = OutlierExplanationDisplay.from_estimator(Detector(), X, rows=[0])

    assert display.feature_names[0] == "feature 0"
    assert display.expected is None


def test_model_inside_the_detector_knows_what_was_expected():
    display = OutlierExplanationDisplay.from_estimator(Detector(Distance()), X, rows=[0])

    assert not display.expected.any()


def test_each_value_is_expected_from_the_rest_of_its_row():
    class FromTheRest(Detector):
        def expected_values(self, X):
            return X.sum(axis=1, keepdims=True) - X

    display = OutlierExplanationDisplay.from_estimator(FromTheRest(), X, rows=[3, 1])

    np.testing.assert_allclose(display.expected + display.X, np.tile(display.X.sum(1), (12, 1)).T)


def test_pipeline_is_explained_by_its_last_step():
    pipeline = make_pipeline(StandardScaler(), Distance(0)).fit(X)
    display = OutlierExplanationDisplay.from_estimator(pipeline, X, rows=[3])

    np.testing.assert_allclose(display.X, StandardScaler().fit_transform(X)[[3]])


def test_images_stand_above_the_map_of_contributions():
    display = OutlierExplanationDisplay.from_estimator(
        Distance(), X, rows=[4, 2], image_shape=(3, 4)
    )

    assert display.images_.shape == (3, 2)
    np.testing.assert_array_equal(display.images_[0, 1].get_array(), X[2].reshape(3, 4))
    assert not display.images_[1, 1].get_array().any()
    np.testing.assert_array_equal(display.images_[2, 1].get_array(), np.square(X[2]).reshape(3, 4))
    assert display.colorbar_.vmax == np.square(X[[4, 2]]).max()
    assert display.bars_ is None


def test_eight_images_are_drawn_by_default():
    display = OutlierExplanationDisplay.from_estimator(Distance(0), X, image_shape=(3, 4))

    assert display.images_.shape == (3, 8)


def test_images_without_expectations():
    display = OutlierExplanationDisplay(X[:2], np.square(X[:2]), image_shape=(3, 4)).plot()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]

    assert labels == ["original", "contribution"]


def test_contributions_of_channels_add_up():
    display = OutlierExplanationDisplay(np.ones((1, 12)), np.ones((1, 12)), image_shape=(3, 2, 2))

    np.testing.assert_array_equal(display.plot().images_[1, 0].get_array(), np.full((2, 2), 3))


def test_images_are_named_by_row_and_score():
    display = OutlierExplanationDisplay(np.ones((1, 4)), np.ones((1, 4)), image_shape=(2, 2)).plot()

    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["0\n-4.00"]


def test_keywords_override_the_defaults():
    bars = OutlierExplanationDisplay(X[:1], np.square(X[:1])).plot(bar_kwargs={"fc": "red"})
    images = OutlierExplanationDisplay(X[:1], np.square(X[:1]), image_shape=(3, 4)).plot(
        image_kwargs={"cmap": "gray_r", "vmax": 20}
    )

    assert bars.bars_[0][0].get_facecolor() == (1, 0, 0, 1)
    assert images.images_[0, 0].get_cmap().name == "gray_r"
    assert images.images_[0, 0].get_clim()[1] == 20


@pytest.mark.parametrize("missing", ["feature_errors", "decision_function"])
def test_estimator_that_explains_nothing(missing):
    class Other:
        if missing == "feature_errors":

            def decision_function(self, X):
                return X[:, 0]

    with pytest.raises(TypeError, match=f"estimator must have {missing}.*Other has none"):
        OutlierExplanationDisplay.from_estimator(Other(), X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"expected": X[:, 1:]},
            r"X and expected must have the same shape, got \(40, 12\) and \(4",
        ),
        ({"row_names": ["a"]}, r"len\(X\)=40, len\(row_names\)=1"),
        ({"feature_names": ["a"]}, r"feature_names must have shape \(12,\).* got shape \(1,\)"),
        ({"image_shape": (5, 5)}, r"image_shape=\(5, 5\) holds 25 values, but X has 12 features"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        OutlierExplanationDisplay(X, np.square(X), **parameters)


def test_contributions_must_not_be_negative():
    with pytest.raises(ValueError, match=r"feature_errors must not be negative, the smallest is -"):
        OutlierExplanationDisplay(X, X)


@pytest.mark.parametrize("name", ["n_features", "n_samples"])
def test_nothing_to_draw(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        OutlierExplanationDisplay.from_estimator(Distance(0), X, **{name: 0})


def test_rows_can_be_a_mask():
    mask = np.zeros(len(X), dtype=bool)
    mask[[3, 5]] = True

    display = OutlierExplanationDisplay.from_estimator(Distance(), X, rows=mask)

    np.testing.assert_array_equal(display.X, X[[3, 5]])


@pytest.mark.parametrize("rows", [[10**6], [-1], [0.5], np.ones(2, dtype=bool), []])
def test_rows_that_are_not_there(rows):
    with pytest.raises(ValueError, match="rows"):
        OutlierExplanationDisplay.from_estimator(Distance(), X, rows=rows)
