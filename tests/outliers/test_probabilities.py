"""Probabilities of being an outlier, from a mixture of scores."""

import numpy as np
import pytest

from skae import AutoencoderOutlierDetector
from skae.outliers._probabilities import ScoreMixture


def scores_of(share, n=2000, ratio=4.0, seed=0):
    """Return scores of rows, and which are outliers."""
    rng = np.random.default_rng(seed)
    is_out = rng.random(n) < share
    return -rng.gamma(4, np.where(is_out, ratio, 1)), is_out


def test_probabilities_are_right():
    scores, is_out = scores_of(0.2, n=8000)
    probabilities = ScoreMixture.of(scores, 0.2)(scores)

    for low, high in [(0.0, 0.1), (0.2, 0.5), (0.5, 0.8), (0.9, 1.0)]:
        chosen = (probabilities >= low) & (probabilities <= high)
        assert abs(is_out[chosen].mean() - probabilities[chosen].mean()) < 0.08


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_mean_probability_is_the_share(share):
    scores, _ = scores_of(share)

    assert abs(ScoreMixture.of(scores, share)(scores).mean() - share) < 0.02


def test_stranger_rows_never_have_lower_probabilities():
    mixture = ScoreMixture.of(scores_of(0.1)[0], 0.1)
    probabilities = mixture(-np.linspace(-3, 300, 1000))

    assert (np.diff(probabilities) >= 0).all()
    assert probabilities[0] < 0.01
    assert probabilities[-1] > 0.999


def test_units_and_origin_of_scores_do_not_matter():
    scores, _ = scores_of(0.1)

    actual = ScoreMixture.of(1e6 * scores + 1e7, 0.1)(1e6 * scores + 1e7)

    np.testing.assert_allclose(actual, ScoreMixture.of(scores, 0.1)(scores), atol=1e-6)


@pytest.mark.parametrize("n", [4, 5, 30])
@pytest.mark.parametrize("value", [0.0, -7.0])
def test_equal_scores(n, value):
    probabilities = ScoreMixture.of(np.full(n, value), 0.1)(np.array([value, value - 1]))

    assert np.isfinite(probabilities).all()


class Norm:
    """Scores of rows: minus their squared lengths."""

    def __init__(self):
        pass

    def get_params(self, deep=True):
        return {}

    def set_params(self, **params):
        return self

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return -np.square(np.asarray(X)).sum(axis=1)


@pytest.fixture
def X():
    rows = np.random.default_rng(0).normal(size=(600, 6))
    rows[:60] *= 3
    return rows


@pytest.mark.parametrize(("contamination", "share"), [("auto", 0.1), (0.1, None)])
def test_outliers_are_probable(contamination, share, X):
    detector = AutoencoderOutlierDetector(Norm(), contamination=contamination).fit(X)
    probabilities = detector.outlier_probability(X, share=share)

    assert probabilities[:60].mean() > 0.7
    assert probabilities[60:].mean() < 0.1


def test_share_is_not_guessed(X):
    detector = AutoencoderOutlierDetector(Norm()).fit(X)

    with pytest.raises(ValueError, match=r"needs the share of outliers, .*: say share=0.05"):
        detector.outlier_probability(X)


@pytest.mark.parametrize("share", [0, 1, -0.1, "auto", np.nan])
def test_share_that_is_none(share, X):
    detector = AutoencoderOutlierDetector(Norm(), contamination=0.1).fit(X)

    with pytest.raises(ValueError, match=r"share=.* must be a float between 0 and 1"):
        detector.outlier_probability(X, share=share)


def test_clean_rows_give_no_probabilities(X):
    detector = AutoencoderOutlierDetector(Norm(), contamination=0).fit(X)

    with pytest.raises(ValueError, match=r"contamination=0 says that there are none: .*p_values"):
        detector.outlier_probability(X, share=0.1)


def test_probabilities_need_held_out_rows(X):
    detector = AutoencoderOutlierDetector(Norm(), n_estimators=1, contamination=0.1).fit(X)

    with pytest.raises(ValueError, match=r"outlier_probability needs .* with n_estimators=1"):
        detector.outlier_probability(X)
