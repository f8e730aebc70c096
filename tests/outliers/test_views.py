"""Each view of a row against its formula."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis

from skae.outliers import _views
from skae.outliers._views import Marginals, Surprises, Whitening


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)


def seen(X):
    x = torch.as_tensor(X, dtype=torch.float32)
    return x.nan_to_num(0.0), ~x.isnan()


def surprise_among(known, values, own=False):
    """Return the surprises at values in a single view of weight one."""
    return Surprises(np.array([known]), np.ones(1))(torch.as_tensor(values)[None], own=own)[0]


def whitened_by(X):
    return Whitening.of(X, np.ones(X.shape, dtype=bool))


def without(X, i):
    return np.delete(X, i, axis=0)


# ---------------------------------------------------------------- surprise


def test_surprise_is_the_logarithm_of_the_share_of_higher_values():
    actual = surprise_among([3.0, 1.0, 2.0, 2.0], [0.0, 1.0, 1.5, 2.0, 3.0]).exp()

    expected = [5 / 5, 5 / 5, 5 / 4, 5 / 4, 5 / 2]
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.double))


def test_surprise_goes_on_above_the_largest_value():
    actual = surprise_among([3.0, 1.0, 2.0], [3.3, 30.0, 3e6]).exp()

    torch.testing.assert_close(actual, torch.tensor([4.4, 40.0, 4e6], dtype=torch.double))


def test_surprise_never_falls(X):
    assert (surprise_among(X[:, 0], torch.linspace(-5, 50, 1000)).diff() >= 0).all()


def test_surprise_where_all_values_are_zero():
    of_zero, of_one = surprise_among(np.zeros(9), [0.0, 1.0])

    assert of_zero == 0
    assert 2 < of_one < np.inf


def test_surprises_are_those_of_each_view_times_its_weight(X):
    values = torch.from_numpy(X[:7].T.copy())
    surprises = Surprises(X[20:].T.copy(), np.array([1, 0.5, 0, 3]))

    expected = [w * surprise_among(X[20:, j], values[j]) for j, w in enumerate([1, 0.5, 0, 3])]
    torch.testing.assert_close(surprises(values), torch.stack(expected))
    torch.testing.assert_close(surprises(values[2:], first=2), torch.stack(expected[2:]))


def test_surprise_of_training_rows_is_that_among_the_others(X):
    values = np.append(X[:30, 0], [0.5, 0.5, 9.0, 9.0])

    actual = surprise_among(values, values, own=True)

    expected = [surprise_among(without(values, i), [value]) for i, value in enumerate(values)]
    torch.testing.assert_close(actual, torch.cat(expected))


def test_surprise_of_the_largest_training_value_goes_on_above_the_others():
    actual = surprise_among([1.0, 2.0, 30.0], [1.0, 2.0, 30.0], own=True).exp()

    torch.testing.assert_close(actual[2].item(), 3 * 30 / 2)


def test_only_training_row_has_nothing_to_be_compared_with():
    assert surprise_among([3.0], [3.0], own=True).isfinite().all()


# ---------------------------------------------------------------- marginals


def test_tail_is_that_of_the_empirical_distribution():
    X = np.random.default_rng(0).integers(0, 10, size=(60, 3)).astype(np.float32)

    tail, _ = Marginals.of(X).cells(*seen(X))

    below = (X[None] <= X[:, None]).sum(1)
    above = (X[None] >= X[:, None]).sum(1)
    share = 2 * np.minimum(below + 1, above + 1) / 62
    np.testing.assert_allclose(tail, -np.log(share.clip(max=1)), rtol=1e-5, atol=1e-6)


def test_rarity_is_that_of_a_histogram(X):
    _, rarity = Marginals.of(X).cells(*seen(X))

    for x, actual in zip(X.T, rarity.T, strict=True):
        counts, edges = np.histogram(x, 5)
        count = counts[np.digitize(x, edges[1:-1])]
        expected = np.log((counts.max() + 0.5) / (count + 0.5))
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_values_beyond_the_range_are_rarest(X):
    marginals = Marginals.of(X)
    inside = marginals.cells(*seen(X))

    for beyond in (X.min(0) - 1, X.max(0) + 1):
        outside = marginals.cells(*seen(beyond[None]))
        for actual, others in zip(outside, inside, strict=True):
            assert (actual >= others.amax(0)).all()


def test_missing_cells_are_no_surprise(X):
    X[::3, 1] = np.nan

    tail, rarity = Marginals.of(X).cells(*seen(X))

    assert (tail[::3, 1] == 0).all()
    assert (rarity[::3, 1] == 0).all()


def test_missing_cells_do_not_change_the_others(X):
    before = Marginals.of(X[10:, [0]]).cells(*seen(X[10:, [0]]))
    X[:10, 0] = np.nan

    after = Marginals.of(X).cells(*seen(X[10:]))

    for expected, actual in zip(before, after, strict=True):
        torch.testing.assert_close(actual[:, [0]], expected)


def test_column_without_values_is_no_surprise(X):
    X[:, 2] = np.nan

    for cells in Marginals.of(X).cells(*seen(np.ones((1, 4)))):
        assert cells[0, 2] == 0


def test_constant_is_no_surprise_and_anything_else_is():
    marginals = Marginals.of(np.full((50, 1), 0.3, dtype=np.float32))

    for cells in marginals.cells(*seen([[0.3], [0.2], [30.0], [-30.0]])):
        assert cells[0] == 0
        assert (cells[1:] > 1).all()


def whole_numbers(n_rows, highest=9, n_features=3):
    """Return rows whose smallest and largest values occur twice at least."""
    X = np.random.default_rng(0).binomial(highest, 0.3, size=(n_rows, n_features))
    X[:2], X[2:4] = 0, highest
    return X.astype(np.float32)


# Without any one row, the range is the same, and so is the number of bins.
@pytest.mark.parametrize("X", [whole_numbers(60), whole_numbers(150, 30)])
def test_own_surprises_are_those_by_the_other_rows(X):
    actual = Marginals.of(X).cells(*seen(X), own=True)

    others = [Marginals.of(without(X, i)).cells(*seen(X[[i]])) for i in range(len(X))]
    for own, expected in zip(actual, zip(*others, strict=True), strict=True):
        torch.testing.assert_close(own, torch.cat(expected))


def test_own_surprises_of_lone_ends_are_those_beyond_the_range(X):
    X[:, 0] = np.r_[np.linspace(0, 1, 98), -5, 9]
    marginals = Marginals.of(X)

    own = marginals.cells(*seen(X), own=True)

    beyond = marginals.cells(*seen([[-100.0] * 4, [100.0] * 4]))
    for actual, expected in zip(own, beyond, strict=True):
        np.testing.assert_allclose(actual[98:, 0], expected[:, 0], rtol=0.03)


def test_own_surprises_of_missing_cells_are_zero(X):
    X[::3, 1] = np.nan

    for cells in Marginals.of(X).cells(*seen(X), own=True):
        assert (cells[::3, 1] == 0).all()
        assert (cells[:, 0] > 0).any()


def test_own_surprises_of_a_constant_are_zero():
    X = np.full((50, 1), 0.3, dtype=np.float32)

    for cells in Marginals.of(X).cells(*seen(X), own=True):
        assert (cells == 0).all()


# ---------------------------------------------------------------- whitening


def correlated(X):
    return (X @ np.random.default_rng(1).normal(size=(4, 4))).astype(np.float32)


def test_sum_is_the_squared_mahalanobis_distance(X):
    X = correlated(X)

    actual = whitened_by(X)(*seen(X)).sum(1)

    covariance = np.cov(X.T)
    shrunk = 0.9 * covariance + 0.1 * np.trace(covariance) / 4 * np.eye(4)
    inverse = np.linalg.inv(shrunk)
    expected = [mahalanobis(x, X.mean(0), inverse) ** 2 for x in X]
    np.testing.assert_allclose(actual, expected, rtol=1e-3)


def test_root_is_symmetric(X):
    root = whitened_by(X).root

    np.testing.assert_allclose(root, root.T, atol=1e-12)


def test_wild_cell_stands_out_among_correlated_ones(X):
    residuals = X[:, [0]] + 0.3 * X
    wild = np.zeros((1, 4))
    wild[0, 2] = 5

    assert whitened_by(residuals)(*seen(wild)).argmax() == 2


@pytest.mark.parametrize("widest", [3, 4])
def test_whitened_cells_are_zero_where_nothing_was_observed(widest, X, monkeypatch):
    monkeypatch.setattr(_views, "_WIDEST_COVARIANCE", widest)
    X = correlated(X) + 3
    whitening = whitened_by(X)
    X[::2, 1] = np.nan

    cells = whitening(*seen(X))

    np.testing.assert_array_equal((cells == 0).numpy(), np.isnan(X))


def test_wide_residuals_are_whitened_by_their_variances(X, monkeypatch):
    monkeypatch.setattr(_views, "_WIDEST_COVARIANCE", 3)

    actual = whitened_by(X)(*seen(X))

    variances = X.var(0, ddof=1)
    expected = (X - X.mean(0)) ** 2 / (0.9 * variances + 0.1 * variances.mean())
    np.testing.assert_allclose(actual, expected, rtol=1e-3)


def by_the_others(X):
    """Return the distance of each row by a whitening of the others."""
    return torch.cat([whitened_by(without(X, i))(*seen(X[[i]])).sum(1) for i in range(len(X))])


@pytest.mark.parametrize("widest", [3, 4])
@pytest.mark.parametrize(("shrinkage", "tolerance"), [(0.0, 1e-3), (0.1, 0.05)])
def test_own_distances_are_those_by_the_other_rows(shrinkage, tolerance, widest, X, monkeypatch):
    monkeypatch.setattr(_views, "_SHRINKAGE", shrinkage)
    monkeypatch.setattr(_views, "_WIDEST_COVARIANCE", widest)
    X = correlated(X)[:30]
    whitening = whitened_by(X)
    cells = whitening(*seen(X))

    actual = whitening.distances_without_own(cells)

    expected = by_the_others(X)
    assert (expected > 1.05 * cells.sum(1)).any()
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=1e-4)


def test_own_distances_of_few_rows_with_many_features_are_finite_and_larger():
    X = np.random.default_rng(0).normal(size=(10, 40)).astype(np.float32)
    whitening = whitened_by(X)
    cells = whitening(*seen(X))

    own = whitening.distances_without_own(cells)

    assert own.isfinite().all()
    assert (own > 2 * cells.sum(1)).all()
    torch.testing.assert_close(own, by_the_others(X), rtol=0.2, atol=0)


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_rows_to_do_without_one(X, n):
    whitening = whitened_by(X[:n])
    cells = whitening(*seen(X[:n]))

    torch.testing.assert_close(whitening.distances_without_own(cells), cells.sum(1))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_rows_than_features(X, n):
    cells = whitened_by(X[:n])(*seen(X))

    assert cells.isfinite().all()
    assert (cells >= 0).all()


def test_residuals_that_are_all_zero():
    whitening = whitened_by(np.zeros((9, 3)))
    cells = whitening(*seen(np.zeros((2, 3))))

    assert (cells == 0).all()
    assert (whitening.distances_without_own(cells) == 0).all()
