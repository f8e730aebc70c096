"""Scores of draws: the definition written out, a closed form, and what a proper score must do."""

import numpy as np
import pytest
from scipy.stats import norm

from skae.metrics import crps_ensemble


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def written_out(y, draws):
    pairs = np.abs(draws[:, None] - draws[None])
    return np.abs(draws - y).mean(axis=0) - pairs.mean(axis=(0, 1)) / 2


@pytest.mark.parametrize("n_draws", [1, 2, 3, 20])
@pytest.mark.parametrize("shape", [(1,), (7,), (5, 2), (2, 3, 4)])
def test_definition(rng, n_draws, shape):
    y, draws = rng.normal(size=shape), rng.normal(0.5, 2, size=(n_draws, *shape))

    scores = crps_ensemble(y, draws, per_value=True)

    assert scores.shape == shape
    np.testing.assert_allclose(scores, written_out(y, draws), atol=1e-14)
    assert crps_ensemble(y, draws) == pytest.approx(scores.mean())


def test_scores_by_hand():
    # The squared difference of the distribution functions is 1/4 from 0 to 1 and from 1 to 2, and
    # it is 1 from 2 to 5.
    draws = [[2.0, 2.0], [0.0, 0.0]]

    np.testing.assert_allclose(crps_ensemble([1.0, 5.0], draws, per_value=True), [0.5, 3.5])


def test_a_single_draw_has_its_absolute_error(rng):
    y, draw = rng.normal(size=(2, 30))

    assert crps_ensemble(y, draw[None]) == pytest.approx(np.abs(y - draw).mean())


def test_fair_scores_do_not_depend_on_the_number_of_draws(rng):
    y, draws = rng.normal(size=3000), rng.normal(size=(40, 3000))
    pairs = np.abs(draws[:, None, :9] - draws[None, :, :9]).sum(axis=(0, 1)) / (40 * 39)

    scores = crps_ensemble(y, draws, fair=True, per_value=True)

    np.testing.assert_allclose(scores[:9], np.abs(draws - y).mean(axis=0)[:9] - pairs / 2)
    few = np.mean([crps_ensemble(y, two, fair=True) for two in draws.reshape(20, 2, -1)])
    assert few == pytest.approx(scores.mean(), rel=0.02)
    assert np.mean([crps_ensemble(y, two) for two in draws.reshape(20, 2, -1)]) > 1.3 * few


def test_fair_scores_need_two_draws():
    with pytest.raises(ValueError, match="fair=True takes at least 2 draws, got 1"):
        crps_ensemble([1.0], [[2.0]], fair=True)


def test_true_values_among_the_draws():
    assert crps_ensemble([3.0, -1.0], [[3.0, -1.0]] * 4) == 0


def test_many_draws_have_the_score_of_their_distribution(rng):
    y = np.array([-1.0, 0.0, 3.0])
    draws = rng.normal(size=(200_000, 3))

    scores = crps_ensemble(y, draws, per_value=True)

    # Gneiting and Raftery (2007), equation 21, for the standard normal distribution.
    expected = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)
    np.testing.assert_allclose(scores, expected, atol=0.01)


def test_true_distribution_has_the_best_score(rng):
    y = rng.normal(size=20_000)
    scores = {
        (mean, spread): crps_ensemble(y, rng.normal(mean, spread, size=(50, len(y))))
        for mean, spread in [(0, 1), (0.5, 1), (0, 0.5), (0, 2), (0, 0)]
    }

    assert min(scores, key=scores.get) == (0, 1)


def test_order_origin_and_unit(rng):
    y, draws = rng.normal(size=10), rng.normal(size=(6, 10))
    score = crps_ensemble(y, draws)

    assert crps_ensemble(y, draws[::-1]) == pytest.approx(score)
    assert crps_ensemble(-y, -draws) == pytest.approx(score)
    assert crps_ensemble(1e9 + y, 1e9 + draws) == pytest.approx(score, rel=1e-5)
    assert crps_ensemble(1000 * y, 1000 * draws) == pytest.approx(1000 * score)


def test_arrays_are_left_alone(rng):
    y, draws = rng.normal(size=10), rng.normal(size=(6, 10))
    copies = y.copy(), draws.copy()

    crps_ensemble(y, draws)

    np.testing.assert_array_equal(y, copies[0])
    np.testing.assert_array_equal(draws, copies[1])


@pytest.mark.parametrize(
    ("y", "draws", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0], r"got shapes \(2,\) of draws and \(2,\) of y_true"),
        ([1.0, 2.0], np.ones((5, 3)), r"got shapes \(5, 3\) of draws and \(2,\) of y_true"),
        (np.ones((4, 2)), np.ones((4, 2, 3)), r"got shapes \(4, 2, 3\) of draws and \(4, 2\)"),
        ([1.0, 2.0], np.ones((0, 2)), "draws: Found array with 0 sample"),
        ([1.0, np.nan], np.ones((5, 2)), "Input y_true contains NaN"),
        ([1.0, 2.0], np.full((5, 2), np.inf), "Input draws contains infinity"),
        (["a", "b"], np.ones((5, 2)), "y_true: could not convert"),
        (1.0, [1.0, 2.0], "The 'y_true' parameter of crps_ensemble must be"),
    ],
)
def test_bad_arrays(y, draws, message):
    with pytest.raises(ValueError, match=message):
        crps_ensemble(y, draws)
