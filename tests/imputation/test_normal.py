"""The normal distribution against known conditional means, and its fit against the sample's."""

import numpy as np
import pytest
import torch

from skae.imputation._normal import Normal, chosen_ridge
from skae.networks._normal import completed, conditional_covariances

D = 5


@pytest.fixture(scope="module")
def normal():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(D, D))
    return Normal(rng.normal(size=D), root @ root.T + 0.3 * np.eye(D), 0.0)


def by_hand(x, normal):
    """The textbook's formulas, by the covariance of observed cells."""
    o, m = ~np.isnan(x), np.isnan(x)
    S, mean = normal.covariance, normal.mean
    regression = S[np.ix_(m, o)] @ np.linalg.inv(S[np.ix_(o, o)])
    filled = x.copy()
    filled[m] = mean[m] + regression @ (x[o] - mean[o])
    return filled, S[np.ix_(m, m)] - regression @ S[np.ix_(o, m)]


@pytest.mark.parametrize("missing", [[0], [1, 3], [0, 1, 2, 3], []])
def test_conditional_distribution(normal, missing):
    x = np.random.default_rng(1).normal(size=D)
    x[missing] = np.nan
    precision = torch.from_numpy(normal.precision)

    filled, variances = completed(
        torch.from_numpy(x[None]), torch.from_numpy(normal.mean), precision
    )
    covariance = conditional_covariances(torch.from_numpy(np.isnan(x[None])), precision)[0]

    expected, of_missing = by_hand(x, normal)
    np.testing.assert_allclose(filled[0], expected)
    np.testing.assert_allclose(covariance[missing][:, missing], of_missing, atol=1e-12)
    np.testing.assert_allclose(variances[0, missing], np.diag(of_missing))


def test_empty_row_is_the_mean(normal):
    x = torch.full((1, D), torch.nan, dtype=torch.float64)
    mean = torch.from_numpy(normal.mean)

    filled, _ = completed(x, mean, torch.from_numpy(normal.precision))

    np.testing.assert_array_equal(filled[0], mean)


def test_complete_rows_give_their_moments():
    Z = np.random.default_rng(0).normal(size=(2000, 3)) @ np.array(
        [[1, 0.5, 0], [0, 1, 0], [0, 0, 1]]
    )

    fitted = Normal.of(Z)

    np.testing.assert_allclose(fitted.mean, Z.mean(axis=0), atol=1e-12)
    ridge = 0.03 * np.diag(Z.var(axis=0) + 1e-3)
    np.testing.assert_allclose(fitted.covariance, np.cov(Z.T, bias=True) + ridge, atol=2e-3)


def test_incomplete_rows_give_nearly_the_same(normal):
    rng = np.random.default_rng(1)
    Z = rng.multivariate_normal(normal.mean, normal.covariance, 3000)
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    whole = Normal.of(Z)
    Z[rng.random(Z.shape) < 0.3] = np.nan

    fitted = Normal.of(Z)

    np.testing.assert_allclose(fitted.covariance, whole.covariance, atol=0.1)


def test_weights_count_rows():
    Z = np.random.default_rng(0).normal(size=(50, 3))
    Z[::7, 1] = np.nan
    counts = np.random.default_rng(1).integers(0, 3, len(Z))

    weighted, repeated = Normal.of(Z, counts), Normal.of(np.repeat(Z, counts, axis=0))

    np.testing.assert_allclose(weighted.covariance, repeated.covariance)
    np.testing.assert_allclose(weighted.mean, repeated.mean)


@pytest.mark.parametrize("shape", [(1, 4), (2, 4), (10, 30)])
def test_few_rows_and_collinear_columns(shape):
    Z = np.random.default_rng(0).normal(size=shape)
    Z[:, 1] = Z[:, 0]
    Z[:, 2] = 0.0

    fitted = Normal.of(Z)

    assert np.linalg.eigvalsh(fitted.covariance).min() > 0


def test_ridge_is_small_where_columns_hang_together_and_large_where_they_do_not():
    rng = np.random.RandomState(0)
    noise = rng.normal(size=(60, 20))
    together = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 20)) + 0.01 * noise

    small, large = (chosen_ridge(Z, np.ones(20), rng) for Z in (together, noise))

    assert small < 0.01 < 0.1 < large
