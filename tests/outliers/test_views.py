"""Each view of a row against its formula."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, mahalanobis

from skae.outliers import _views
from skae.outliers._views import Marginals, Neighbors, Surprise, Whitening


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)


def seen(X):
    x = torch.as_tensor(X, dtype=torch.float32)
    return x.nan_to_num(0.0), ~x.isnan()


# ---------------------------------------------------------------- surprise


def test_surprise_is_the_logarithm_of_the_share_of_higher_values():
    surprise = Surprise(np.array([3.0, 1.0, 2.0, 2.0]))

    actual = surprise(torch.tensor([0.0, 1.0, 1.5, 2.0, 3.0])).exp()

    expected = [5 / 5, 5 / 5, 5 / 4, 5 / 4, 5 / 2]
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.double))


def test_surprise_goes_on_above_the_largest_value():
    surprise = Surprise(np.array([3.0, 1.0, 2.0]))

    actual = surprise(torch.tensor([3.3, 30.0, 3e6])).exp()

    torch.testing.assert_close(actual, torch.tensor([4.4, 40.0, 4e6], dtype=torch.double))


def test_surprise_never_falls(X):
    values = torch.linspace(-5, 50, 1000)

    assert (Surprise(X[:, 0])(values).diff() >= 0).all()


def test_surprise_where_all_values_are_zero():
    surprise = Surprise(np.zeros(9))

    assert surprise(torch.zeros(1)) == 0
    assert 2 < surprise(torch.ones(1)) < np.inf


def test_surprise_keeps_the_shape():
    assert Surprise(np.arange(9.0))(torch.ones(2, 3).T).shape == (3, 2)


# ---------------------------------------------------------------- marginals


def test_tail_is_that_of_the_empirical_distribution():
    X = np.random.default_rng(0).integers(0, 10, size=(60, 3)).astype(np.float32)

    tail, _ = Marginals(X).cells(*seen(X))

    below = (X[None] <= X[:, None]).sum(1)
    above = (X[None] >= X[:, None]).sum(1)
    share = 2 * np.minimum(below + 1, above + 1) / 62
    np.testing.assert_allclose(tail, -np.log(share.clip(max=1)), rtol=1e-5, atol=1e-6)


def test_rarity_is_that_of_a_histogram(X):
    _, rarity = Marginals(X).cells(*seen(X))

    for x, actual in zip(X.T, rarity.T, strict=True):
        counts, edges = np.histogram(x, 5)
        count = counts[np.digitize(x, edges[1:-1])]
        expected = np.log((counts.max() + 0.5) / (count + 0.5))
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_values_beyond_the_range_are_rarest(X):
    marginals = Marginals(X)
    inside = marginals.cells(*seen(X))

    for beyond in (X.min(0) - 1, X.max(0) + 1):
        outside = marginals.cells(*seen(beyond[None]))
        for actual, others in zip(outside, inside, strict=True):
            assert (actual >= others.amax(0)).all()


def test_missing_cells_are_no_surprise(X):
    X[::3, 1] = np.nan

    tail, rarity = Marginals(X).cells(*seen(X))

    assert (tail[::3, 1] == 0).all()
    assert (rarity[::3, 1] == 0).all()


def test_missing_cells_do_not_change_the_others(X):
    before = Marginals(X[10:, [0]]).cells(*seen(X[10:, [0]]))
    X[:10, 0] = np.nan

    after = Marginals(X).cells(*seen(X[10:]))

    for expected, actual in zip(before, after, strict=True):
        torch.testing.assert_close(actual[:, [0]], expected)


def test_column_without_values_is_no_surprise(X):
    X[:, 2] = np.nan

    for cells in Marginals(X).cells(*seen(np.ones((1, 4)))):
        assert cells[0, 2] == 0


def test_constant_is_no_surprise_and_anything_else_is():
    marginals = Marginals(np.full((50, 1), 0.3, dtype=np.float32))

    for cells in marginals.cells(*seen([[0.3], [0.2], [30.0], [-30.0]])):
        assert cells[0] == 0
        assert (cells[1:] > 1).all()


# ---------------------------------------------------------------- neighbours


def test_distance_is_the_mean_of_the_nearest_in_five_samples(X):
    new = np.random.default_rng(1).normal(size=(20, 4))
    width = X.max(0) - X.min(0)

    actual = Neighbors(X, np.arange(100)).values(torch.as_tensor(new, dtype=torch.float32))

    distances = cdist(new / width, X / width).reshape(20, 5, 20)
    np.testing.assert_allclose(actual, distances.min(2).mean(1), rtol=1e-3)


def test_rows_are_not_their_own_neighbours(X):
    width = X.max(0) - X.min(0)

    actual = Neighbors(X, np.arange(100)).values(torch.from_numpy(X), torch.arange(100))

    distances = cdist(X / width, X / width)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_allclose(actual, distances.reshape(100, 5, 20).min(2).mean(1), rtol=1e-3)


def test_rows_are_told_by_their_identity_not_their_position(X):
    identity = 100 + np.random.default_rng(1).permutation(100)

    actual = Neighbors(X, identity).values(torch.from_numpy(X), torch.from_numpy(identity))

    expected = Neighbors(X, np.arange(100)).values(torch.from_numpy(X), torch.arange(100))
    torch.testing.assert_close(actual, expected)


def test_far_row_is_far_by_its_wild_feature(X):
    wild = torch.zeros(1, 4)
    wild[0, 2] = 9

    assert Neighbors(X, np.arange(100)).cells(wild).argmax() == 2


def test_features_of_one_sample_add_up_to_the_squared_distance(X):
    neighbors = Neighbors(X[:1], np.arange(1))
    new = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))

    actual = neighbors.cells(new).sum(1)

    torch.testing.assert_close(actual, neighbors.values(new).square(), rtol=1e-3, atol=1e-5)


def test_neighbours_are_sought_among_the_first_rows(X, monkeypatch):
    monkeypatch.setattr(_views, "_N_REFERENCES", 30)
    neighbors = Neighbors(X, np.arange(100))

    distances = neighbors.values(torch.from_numpy(X))

    first = cdist(X[:30] * neighbors.per_unit, X * neighbors.per_unit).reshape(5, 6, 100)
    np.testing.assert_allclose(distances, first.min(1).mean(0), rtol=1e-3, atol=1e-3)


def test_distance_is_the_same_in_other_units(X):
    units = torch.tensor([1e-3, 1.0, 7.0, 1e3])
    new = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))

    actual = Neighbors(X * units.numpy(), np.arange(100)).values(new * units)

    expected = Neighbors(X, np.arange(100)).values(new)
    torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_rows_than_neighbours(X, n):
    values = Neighbors(X[:n], np.arange(n)).values(torch.from_numpy(X[:n]), torch.arange(n))

    assert values.shape == (n,)
    assert values.isfinite().all()


def test_duplicates_are_near():
    ones = np.ones((20, 3), dtype=np.float32)

    assert (Neighbors(ones, np.arange(20)).values(torch.ones(2, 3), torch.arange(2)) == 0).all()


# ---------------------------------------------------------------- whitening


def test_sum_is_the_squared_mahalanobis_distance(X):
    X = (X @ np.random.default_rng(1).normal(size=(4, 4))).astype(np.float32)

    actual = Whitening(X)(torch.from_numpy(X)).sum(1)

    covariance = np.cov(X.T)
    shrunk = 0.9 * covariance + 0.1 * np.trace(covariance) / 4 * np.eye(4)
    inverse = np.linalg.inv(shrunk)
    expected = [mahalanobis(x, X.mean(0), inverse) ** 2 for x in X]
    np.testing.assert_allclose(actual, expected, rtol=1e-3)


def test_root_is_symmetric(X):
    root = Whitening(X).root

    np.testing.assert_allclose(root, root.T, atol=1e-12)


def test_wild_cell_stands_out_among_correlated_ones(X):
    residuals = X[:, [0]] + 0.3 * X
    wild = torch.zeros(1, 4)
    wild[0, 2] = 5

    assert Whitening(residuals)(wild).argmax() == 2


def test_wide_residuals_are_whitened_by_their_variances(X, monkeypatch):
    monkeypatch.setattr(_views, "_WIDEST_COVARIANCE", 3)

    actual = Whitening(X)(torch.from_numpy(X))

    variances = X.var(0)
    expected = (X - X.mean(0)) ** 2 / (0.9 * variances + 0.1 * variances.mean())
    np.testing.assert_allclose(actual, expected, rtol=1e-3)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_rows_than_features(X, n):
    cells = Whitening(X[:n])(torch.from_numpy(X))

    assert cells.isfinite().all()
    assert (cells >= 0).all()


def test_residuals_that_are_all_zero():
    assert (Whitening(np.zeros((9, 3)))(torch.zeros(2, 3)) == 0).all()
