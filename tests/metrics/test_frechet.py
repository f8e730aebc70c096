"""The Fréchet distance, against closed forms."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import ortho_group

from skae.metrics import frechet_distance


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def with_moments(rng, n_samples, mean, covariance):
    """Return rows whose mean and covariance are exactly these."""
    mean, covariance = np.asarray(mean), np.asarray(covariance)
    X = rng.normal(size=(n_samples, len(mean)))
    X -= X.mean(axis=0)
    X = np.linalg.solve(np.linalg.cholesky(np.atleast_2d(np.cov(X, rowvar=False))), X.T).T
    return X @ np.linalg.cholesky(covariance).T + mean


def test_distance_of_two_normal_distributions_on_a_line(rng):
    X, Y = with_moments(rng, 30, [1.0], [[4.0]]), with_moments(rng, 50, [4.0], [[25.0]])

    assert frechet_distance(X, Y) == pytest.approx((1 - 4) ** 2 + (2 - 5) ** 2)


def test_distance_with_covariances_that_commute(rng):
    axes = ortho_group.rvs(3, random_state=0)
    variances_X, variances_Y = np.array([1.0, 4.0, 9.0]), np.array([16.0, 0.25, 9.0])
    X = with_moments(rng, 40, [0.0, 0.0, 0.0], axes * variances_X @ axes.T)
    Y = with_moments(rng, 60, [1.0, 2.0, 2.0], axes * variances_Y @ axes.T)

    expected = 9 + np.sum((np.sqrt(variances_X) - np.sqrt(variances_Y)) ** 2)

    assert frechet_distance(X, Y) == pytest.approx(expected)


def test_distance_by_the_root_of_a_matrix(rng):
    X = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    Y = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) + 1

    cov_X, cov_Y = np.cov(X, rowvar=False), np.cov(Y, rowvar=False)
    shift = X.mean(axis=0) - Y.mean(axis=0)
    expected = shift @ shift + np.trace(cov_X + cov_Y - 2 * sqrtm(cov_X @ cov_Y).real)

    assert frechet_distance(X, Y) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(50, 3), (10, 40), (2, 1)])
def test_identical_samples_have_no_distance(rng, shape):
    X = 1000 + rng.normal(size=shape)

    assert 0 <= frechet_distance(X, X) < 1e-10


def test_shift_alone(rng):
    X = rng.normal(size=(20, 30))  # fewer rows than features

    assert frechet_distance(X, X + 2) == pytest.approx(4 * 30)


def test_constant_features(rng):
    X, Y = np.zeros((10, 3)), np.zeros((10, 3))
    y = Y[:, 0] = rng.normal(size=10)

    assert frechet_distance(X, Y) == pytest.approx(y.mean() ** 2 + y.var(ddof=1))


def test_covariances_on_orthogonal_subspaces(rng):
    X, Y = rng.normal(size=(2, 50, 6))
    X[:, 3:], Y[:, :3] = 0, 0

    shift = X.mean(axis=0) - Y.mean(axis=0)
    variances = X.var(axis=0, ddof=1) + Y.var(axis=0, ddof=1)

    assert frechet_distance(X, Y) == pytest.approx(shift @ shift + variances.sum())


def test_same_in_both_directions_and_after_a_rotation(rng):
    X, Y = rng.normal(size=(50, 4)), 2 * rng.normal(size=(30, 4)) + 1
    rotation = ortho_group.rvs(4, random_state=0)

    distance = frechet_distance(X, Y)

    assert frechet_distance(Y, X) == pytest.approx(distance)
    assert frechet_distance(X @ rotation, Y @ rotation) == pytest.approx(distance)


def test_float32_is_computed_in_float64(rng):
    X, Y = rng.normal(size=(2, 50, 4)).astype(np.float32)

    distance = frechet_distance(X, Y)

    assert type(distance) is float
    assert distance == frechet_distance(X.astype(np.float64), Y.astype(np.float64))
