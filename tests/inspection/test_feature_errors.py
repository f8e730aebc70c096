import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae.inspection import FeatureErrorDisplay

ERRORS = np.array([[3.0, 1.0, 0.0], [1.0, 9.0, 0.0], [1.0, 1.0, 2.0], [0.0, 0.0, 0.0]])


class Detector:
    """Calls rows alarms that are longer than two."""

    feature_names_in_ = np.array(["first", "second"])

    def feature_errors(self, X):
        return np.square(np.asarray(X))

    def decision_function(self, X):
        return 4 - self.feature_errors(X).sum(axis=1)


def names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_shares_are_means_over_alarms_and_over_other_rows():
    display = FeatureErrorDisplay.from_predictions(ERRORS, [0, 1])

    np.testing.assert_allclose(display.shares_, [(0.75 + 0.1) / 2, (0.25 + 0.9) / 2, 0])
    np.testing.assert_allclose(
        display.usual_shares_, [(0.25 + 1 / 3) / 2, (0.25 + 1 / 3) / 2, (0.5 + 1 / 3) / 2]
    )
    np.testing.assert_array_equal(display.n_first_, [1, 1, 0])


def test_largest_shares_come_first():
    display = FeatureErrorDisplay.from_predictions(ERRORS, [0, 1], feature_names=["a", "b", "c"])

    assert names(display) == ["b", "a", "c"]
    np.testing.assert_allclose([bar.get_width() for bar in display.bars_], [0.575, 0.425, 0])


def test_number_of_bars():
    display = FeatureErrorDisplay.from_predictions(ERRORS, [0, 1], n_features=1)

    assert len(display.bars_) == 1
    assert "57% by 1 of 3 features" in display.ax_.get_title(loc="left")


def test_mask_and_positions_are_the_same():
    by_mask = FeatureErrorDisplay(ERRORS, np.array([True, True, False, False]))

    np.testing.assert_array_equal(by_mask.alarms, FeatureErrorDisplay(ERRORS, [0, 1]).alarms)


def test_all_rows_may_be_alarms():
    display = FeatureErrorDisplay.from_predictions(ERRORS, np.arange(4))

    assert display.usual_shares_ is None
    assert display.marks_ is None


def test_alarms_are_those_of_the_detector():
    X = pd.DataFrame({"first": [0, 3, 0.0], "second": [0, 1.0, 0.5]}, index=list("abc"))
    display = FeatureErrorDisplay.from_estimator(Detector(), X)

    np.testing.assert_array_equal(display.alarms, [1])
    np.testing.assert_allclose(display.shares_, [0.9, 0.1])
    assert names(display) == ["first", "second"]


def test_rows_that_are_given_need_be_no_alarms():
    display = FeatureErrorDisplay.from_estimator(Detector(), np.ones((5, 2)), rows=[0, 3])

    assert "2 alarms in 5 rows" in display.ax_.get_title(loc="left")


def test_detector_at_the_end_of_a_pipeline():
    X = np.random.default_rng(0).normal(size=(50, 2))
    pipeline = make_pipeline(StandardScaler(), Detector())
    pipeline[0].fit(X)

    display = FeatureErrorDisplay.from_estimator(pipeline, X, rows=[0])

    np.testing.assert_allclose(display.feature_errors, np.square(pipeline[0].transform(X)))


def test_no_alarm():
    with pytest.raises(ValueError, match="none of the 5 rows of X is an alarm"):
        FeatureErrorDisplay.from_estimator(Detector(), np.zeros((5, 2)))


@pytest.mark.parametrize("alarms", [[4], [-1], [0.5], [True, False]])
def test_alarms_that_are_no_rows(alarms):
    with pytest.raises(ValueError, match="alarms must hold positions from 0 to 3, or be a mask"):
        FeatureErrorDisplay(ERRORS, alarms)


def test_negative_errors():
    with pytest.raises(ValueError, match="feature_errors must not be negative"):
        FeatureErrorDisplay(-ERRORS, [0])


def test_styles_are_passed_on():
    display = FeatureErrorDisplay.from_predictions(
        ERRORS, [0], bar_kwargs={"color": "green"}, line_kwargs={"lw": 5}
    )

    assert display.bars_[0].get_facecolor()[:3] == (0, 128 / 255, 0)
    assert display.marks_.get_linewidth()[0] == 5
