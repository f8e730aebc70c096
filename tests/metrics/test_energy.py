"""The energy distance, against scipy's in one dimension, by hand, and where it must vanish."""

import numpy as np
import pytest
from scipy import stats

from skae.metrics import crps_ensemble, energy_distance


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(("n_X", "n_Y"), [(1, 1), (1, 30), (40, 25)])
def test_one_feature_as_in_scipy(rng, n_X, n_Y):
    X, Y = rng.normal(size=(n_X, 1)), rng.normal(1, 3, size=(n_Y, 1))

    distance = energy_distance(X, Y, scale=None)

    assert distance == pytest.approx(stats.energy_distance(X[:, 0], Y[:, 0]))


def test_distance_by_hand():
    X, Y = [[0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]]

    # 2 * (5 + 0) / 2 - 0 - (0 + 5 + 5 + 0) / 4
    assert energy_distance(X, Y, scale=None) == pytest.approx(np.sqrt(2.5))


def test_draws_around_one_value_have_twice_their_crps(rng):
    y, draws = rng.normal(size=1), rng.normal(size=(20, 1))

    squared = energy_distance(y[:, None], draws, scale=None) ** 2

    assert squared == pytest.approx(2 * crps_ensemble(y, draws))


def test_chunks_make_no_difference(rng, monkeypatch):
    X, Y = rng.normal(size=(300, 4)), rng.normal(size=(200, 4))
    whole = energy_distance(X, Y)

    monkeypatch.setattr("skae.metrics._energy.CHUNK", 0.005)

    assert energy_distance(X, Y) == pytest.approx(whole, rel=1e-12)


def test_equal_samples_have_no_distance(rng):
    X = 1e6 + rng.normal(size=(50, 3))

    assert energy_distance(X, X) == 0
    assert energy_distance(X, X[::-1]) == pytest.approx(0, abs=1e-6)
    assert energy_distance(X, np.repeat(X, 3, axis=0)) == pytest.approx(0, abs=1e-6)


def test_order_of_the_samples(rng):
    X, Y = rng.normal(size=(30, 3)), rng.normal(1, 2, size=(20, 3))

    for scale in (None, [1.0, 2.0, 3.0]):
        assert energy_distance(X, Y, scale=scale) == pytest.approx(
            energy_distance(Y, X, scale=scale)
        )


def test_origin_and_rotation(rng):
    X, Y = rng.normal(size=(30, 3)), rng.normal(1, 2, size=(20, 3))
    turn = stats.special_ortho_group.rvs(3, random_state=0)
    distance = energy_distance(X, Y, scale=None)

    assert energy_distance(X + 100, Y + 100, scale=None) == pytest.approx(distance)
    assert energy_distance(X @ turn, Y @ turn, scale=None) == pytest.approx(distance)


def test_units_do_not_matter_by_default(rng):
    X, Y = rng.normal(size=(30, 3)), rng.normal(1, 2, size=(20, 3))
    units = np.array([1000.0, 1.0, 0.001])

    assert energy_distance(X * units, Y * units) == pytest.approx(energy_distance(X, Y))


def test_default_units_are_standard_deviations_of_the_first_sample(rng):
    X, Y = rng.normal(size=(30, 3)), rng.normal(1, 2, size=(20, 3))

    assert energy_distance(X, Y) == pytest.approx(energy_distance(X, Y, scale=X.std(axis=0)))


def test_constant_feature_keeps_its_units():
    X, Y = np.full((5, 1), 7.0), np.full((4, 1), 9.0)

    assert energy_distance(X, Y) == pytest.approx(np.sqrt(2 * 2))


def test_equal_moments_are_not_enough(rng):
    X, other = rng.normal(size=(2, 2000, 2))
    signs = rng.choice([-1.0, 1.0], size=(2000, 2))  # mean 0, variance 1 and no correlation

    assert energy_distance(X, other) < 0.1 < energy_distance(X, signs)


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ([1.0, 2.0], r"scale must have shape \(3,\), one unit for each column .* got \(2,\)"),
        ([1.0, 0.0, 2.0], "scale must be positive, got 0"),
        ([1.0, np.nan, 2.0], "Input scale contains NaN"),
        ("range", "The 'scale' parameter of energy_distance must be"),
        (2.0, "The 'scale' parameter of energy_distance must be"),
    ],
)
def test_bad_scale(rng, scale, message):
    X, Y = rng.normal(size=(2, 10, 3))

    with pytest.raises(ValueError, match=message):
        energy_distance(X, Y, scale=scale)
