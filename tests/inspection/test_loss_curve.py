import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae.inspection import LossCurveDisplay


class Trained(BaseEstimator):
    """Has a loss curve after fit, and a validation curve with early stopping."""

    def __init__(self, early_stopping=False):
        self.early_stopping = early_stopping

    def fit(self, X, y=None):
        self.loss_curve_ = [4.0, 2.0, 1.0]
        if self.early_stopping:
            self.validation_loss_curve_ = [4.0, 2.5, 3.0]
        return self

    def transform(self, X):
        return X

    def score(self, X, y=None):
        return 0.0


class Holder(BaseEstimator):
    def fit(self, X, y=None):
        self.estimator_ = Trained().fit(X)
        return self


X = np.eye(6)


@pytest.mark.parametrize(
    "estimator",
    [
        Trained(),
        Holder(),
        make_pipeline(StandardScaler(), Trained()),
        make_pipeline(Trained(), StandardScaler()),
        make_pipeline(StandardScaler(), Holder()),
        GridSearchCV(Trained(), {"early_stopping": [False]}, cv=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_from_estimator_finds_the_loss_curve(estimator):
    display = LossCurveDisplay.from_estimator(estimator.fit(X))

    np.testing.assert_array_equal(display.line_.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(display.line_.get_ydata(), [4.0, 2.0, 1.0])
    assert display.validation_line_ is None
    assert display.best_epoch_ is None


def test_last_step_with_a_loss_curve_is_taken():
    pipeline = make_pipeline(Trained(), Trained(early_stopping=True)).fit(X)

    assert LossCurveDisplay.from_estimator(pipeline).validation_line_ is not None


def test_lowest_validation_loss_is_marked():
    display = LossCurveDisplay.from_estimator(Trained(early_stopping=True).fit(X))

    assert display.best_epoch_ == 2
    assert display.best_marker_.get_xydata().tolist() == [[2, 2.5]]
    assert "best: 2.5 in epoch 2" in display.best_marker_.get_label()


def test_estimator_without_loss_curve():
    with pytest.raises(ValueError, match=r"must have a loss_curve_.*StandardScaler has none"):
        LossCurveDisplay.from_estimator(StandardScaler().fit(X))


def test_estimator_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(Trained())


@pytest.mark.parametrize(
    ("curve", "log_scale", "scale"),
    [
        ([10.1, 1.0], "auto", "log"),
        ([9.9, 1.0], "auto", "linear"),
        ([100.0, 0.0], "auto", "linear"),
        ([100.0, -1.0], "auto", "linear"),
        ([100.0, 1.0], False, "linear"),
        ([2.0, 1.0], True, "log"),
    ],
)
def test_loss_axis_is_logarithmic_over_a_decade(curve, log_scale, scale):
    display = LossCurveDisplay.from_predictions(curve, log_scale=log_scale)

    assert display.ax_.get_yscale() == scale


def test_validation_curve_counts_for_the_scale():
    display = LossCurveDisplay.from_predictions([2, 1], validation_loss_curve=[20, 1])

    assert display.ax_.get_yscale() == "log"


def test_logarithmic_axis_of_two_decades_has_several_numbers():
    display = LossCurveDisplay.from_predictions([3, 1, 0.3, 0.1])
    display.figure_.draw_without_rendering()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]

    assert {"0.1", "0.2", "0.5", "1", "2"} <= set(labels)


def test_curves_of_two_models_share_an_axes(ax):
    small = LossCurveDisplay([3, 2], validation_loss_curve=[3, 3], estimator_name="small").plot(ax)
    large = LossCurveDisplay([2, 1], validation_loss_curve=[2, 2], estimator_name="large").plot(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]

    assert {"small, training", "large, validation"} <= set(labels)
    assert small.line_.get_color() == small.validation_line_.get_color()
    assert small.line_.get_color() != large.line_.get_color()


def test_losses_that_are_not_finite_leave_gaps():
    display = LossCurveDisplay.from_predictions(
        [3, np.inf, 1], validation_loss_curve=[np.nan, 2, 1]
    )

    assert np.isnan(display.line_.get_ydata()).tolist() == [False, True, False]
    assert display.best_epoch_ == 3


def test_line_keywords_override_the_defaults():
    display = LossCurveDisplay.from_predictions(
        [2, 1],
        validation_loss_curve=[2, 1],
        line_kwargs={"lw": 4},
        validation_line_kwargs={"ls": ":", "label": "held out"},
    )

    assert display.line_.get_linewidth() == 4
    assert display.validation_line_.get_linestyle() == ":"
    assert display.validation_line_.get_label() == "held out"


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        (([3, 2, 1], [1, 2]), r"len\(loss_curve\)=3, len\(validation_loss_curve\)=2"),
        (([[1, 2]], None), r"loss_curve must have shape \(n_epochs,\), got shape \(1, 2\)"),
        (([np.nan, np.inf], None), "loss_curve has no finite value among 2"),
        (([], None), "loss_curve has no finite value among 0"),
    ],
)
def test_bad_curves(curves, message):
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay(curves[0], validation_loss_curve=curves[1])


def test_bad_log_scale():
    with pytest.raises(ValueError, match="log_scale must be True, False or \"auto\", got 'yes'"):
        LossCurveDisplay([2, 1]).plot(log_scale="yes")
