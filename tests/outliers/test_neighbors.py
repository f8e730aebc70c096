"""Distances from neighbours against brute force."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from skae.outliers import _neighbors
from skae.outliers._neighbors import Nearest, Samples, _smallest


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)


def seen(X):
    x = torch.as_tensor(X, dtype=torch.float32)
    return x.nan_to_num(0.0), ~x.isnan()


def nearest_of(X, ranges=True, local=True):
    return Nearest.of(X, np.arange(len(X)), ranges, local)


@pytest.mark.parametrize("value", [0.01, 1e-37])
def test_missing_cells_do_not_make_a_range_of_constants(X, value):
    X = np.c_[X, np.full(100, value, np.float32)]
    X[::7, 4] = np.nan
    new = X[:20].copy()
    new[:, 4] = 5

    for view in (Samples.of(X, np.arange(100)), nearest_of(X)):
        for values in view.values(*seen(new)):
            assert values.max() < 100


# ---------------------------------------------------------------- small samples


def nearest(x, X, n_samples=20):
    """Return the distances of rows from the nearest row in each sample, by brute force."""
    width = X.max(0) - X.min(0)
    return cdist(x / width, X / width).reshape(len(x), n_samples, -1).min(2)


def test_distance_is_the_mean_of_the_nearest_in_twenty_samples(X):
    new = np.random.default_rng(1).normal(size=(20, 4))

    (actual,) = Samples.of(X, np.arange(100)).values(*seen(new))

    np.testing.assert_allclose(actual, nearest(new, X).mean(1), rtol=1e-3)


def test_rows_are_not_their_own_neighbours(X):
    width = X.max(0) - X.min(0)

    (actual,) = Samples.of(X, np.arange(100)).values(*seen(X), torch.arange(100))

    distances = cdist(X / width, X / width)
    by_sample = distances.reshape(100, 20, 5).min(2)
    by_sample[np.arange(100), np.arange(100) // 5] = np.nan
    np.testing.assert_allclose(actual, np.nanmean(by_sample, axis=1), rtol=1e-3)


def test_rows_are_told_by_their_identity_not_their_position(X):
    identity = 100 + np.random.default_rng(1).permutation(100)

    (actual,) = Samples.of(X, identity).values(*seen(X), torch.from_numpy(identity))

    (expected,) = Samples.of(X, np.arange(100)).values(*seen(X), torch.arange(100))
    torch.testing.assert_close(actual, expected)


def test_sample_of_nothing_but_the_row_itself_does_not_count(X):
    (actual,) = Samples.of(X[:20], np.arange(20)).values(*seen(X[:1]), torch.arange(1))

    width = np.ptp(X[:20], axis=0)
    expected = cdist(X[:1] / width, X[1:20] / width).mean(1)
    np.testing.assert_allclose(actual, expected, rtol=1e-3)


def test_distance_is_over_observed_features(X):
    new = np.random.default_rng(1).normal(size=(20, 4))
    new[:, 1] = np.nan

    (actual,) = Samples.of(X, np.arange(100)).values(*seen(new))

    expected = nearest(new[:, [0, 2, 3]], X[:, [0, 2, 3]]).mean(1)
    np.testing.assert_allclose(actual, expected * np.sqrt(4 / 3), rtol=1e-3)


def test_row_with_nothing_observed_is_near_and_has_no_cells(X):
    missing = seen(np.full((2, 4), np.nan))

    for view in (Samples.of(X, np.arange(100)), nearest_of(X)):
        for each in (*view.values(*missing), *view.cells(*missing)):
            assert (each == 0).all()


def test_cells_that_are_missing_are_zero(X):
    new = np.random.default_rng(1).normal(size=(20, 4))
    new[::2, 1] = np.nan

    for view in (Samples.of(X, np.arange(100)), nearest_of(X)):
        for cells in view.cells(*seen(new)):
            np.testing.assert_array_equal((cells == 0).numpy(), np.isnan(new))


def test_far_row_is_far_by_its_wild_feature(X):
    wild = np.zeros((1, 4))
    wild[0, 2] = 9

    for view in (Samples.of(X, np.arange(100)), nearest_of(X)):
        for cells in view.cells(*seen(wild)):
            assert cells.argmax() == 2


def test_features_add_up_to_the_mean_squared_distance(X):
    new = np.random.default_rng(1).normal(size=(20, 4))

    (cells,) = Samples.of(X, np.arange(100)).cells(*seen(new))

    np.testing.assert_allclose(cells.sum(1), (nearest(new, X) ** 2).mean(1), rtol=1e-3)


def test_neighbours_are_sought_among_the_first_rows(X, monkeypatch):
    monkeypatch.setattr(_neighbors, "_N_REFERENCES", 60)
    samples = Samples.of(X, np.arange(100))

    (distances,) = samples.values(*seen(X))

    first = cdist(X * samples.per_unit, X[:60] * samples.per_unit).reshape(100, 20, 3)
    np.testing.assert_allclose(distances, first.min(2).mean(1), rtol=1e-3, atol=1e-3)


def test_distance_is_the_same_in_other_units(X):
    units = np.array([1e-3, 1.0, 7.0, 1e3], dtype=np.float32)
    new = np.random.default_rng(1).normal(size=(20, 4))

    (actual,) = Samples.of(X * units, np.arange(100)).values(*seen(new * units))

    (expected,) = Samples.of(X, np.arange(100)).values(*seen(new))
    torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_rows_than_neighbours_wanted(X, n):
    for view in (Samples.of(X[:n], np.arange(n)), nearest_of(X[:n])):
        for values in view.values(*seen(X[:n]), torch.arange(n)):
            assert values.shape == (n,)
            assert values.isfinite().all()


def test_duplicates_are_near():
    ones = np.ones((20, 3), dtype=np.float32)

    for view in (Samples.of(ones, np.arange(20)), nearest_of(ones)):
        for values in view.values(*seen(ones[:2]), torch.arange(2)):
            assert (values == 0).all()


# ---------------------------------------------------------------- nearest rows


def distances_from_nearest(x, X, n):
    return np.sort(cdist(x, X), axis=1)[:, :n]


def test_distances_are_means_over_the_five_nearest_in_both_units(X):
    new = np.random.default_rng(1).normal(size=(20, 4))

    actual = nearest_of(X, local=False).values(*seen(new))

    for got, unit in zip(actual, np.stack([np.ones(4), 1 / np.ptp(X, axis=0)]), strict=True):
        expected = distances_from_nearest(new * unit, X * unit, 5).mean(1)
        np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_relative_distances_are_those_from_the_ten_nearest_over_theirs(X):
    new = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)

    *_, actual = nearest_of(X, ranges=False).values(*seen(new))

    places = cdist(new, X).argsort(1)[:, :10]
    spacings = distances_from_nearest(X, X, 11)[:, 1:].mean(1)
    expected = distances_from_nearest(new, X, 10).mean(1) / spacings[places].mean(1)
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_nearest_rows_are_others(X):
    near, local = nearest_of(X, ranges=False).values(*seen(X), torch.arange(100))

    others = distances_from_nearest(X, X, 11)[:, 1:]
    np.testing.assert_allclose(near, others[:, :5].mean(1), rtol=1e-4)
    assert 0.5 < local.median() < 1.5


def test_nearest_rows_are_told_by_their_identity(X):
    identity = 100 + np.random.default_rng(1).permutation(100)
    by_identity = Nearest.of(X, identity, True, True)

    actual = by_identity.values(*seen(X), torch.from_numpy(identity))

    expected = nearest_of(X).values(*seen(X), torch.arange(100))
    torch.testing.assert_close(actual, expected)


def test_nearest_are_sought_over_observed_features(X):
    new = np.random.default_rng(1).normal(size=(20, 4))
    new[:, 1] = np.nan

    (actual,) = nearest_of(X, ranges=False, local=False).values(*seen(new))

    expected = distances_from_nearest(new[:, [0, 2, 3]], X[:, [0, 2, 3]], 5).mean(1)
    np.testing.assert_allclose(actual, expected * np.sqrt(4 / 3), rtol=1e-4)


def test_cells_are_the_squared_differences_from_the_nearest(X):
    new = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)

    near, local = nearest_of(X, ranges=False).cells(*seen(new))

    places = cdist(new, X).argsort(1)
    for actual, n in ((near, 5), (local, 10)):
        expected = np.square(new[:, None] - X[places[:, :n]]).mean(1)
        np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_far_duplicates_of_a_group_are_near_it(X):
    X[:50] = X[0]

    *_, local = nearest_of(X, ranges=False).values(*seen(X[:1] + 1e-3))

    assert local < 10


def test_number_of_reference_rows_is_bounded(X, monkeypatch):
    monkeypatch.setattr(_neighbors, "_N_REFERENCES", 20)
    monkeypatch.setattr(_neighbors, "_MOST_CELLS", 4 * 30)

    np.testing.assert_array_equal(nearest_of(X).rows, X[:30])


def test_values_of_any_size_have_finite_distances(X):
    X[:, 3] *= 1e-20

    for values in nearest_of(X).values(*seen(np.full((1, 4), 1e15))):
        assert values.isfinite().all()


@pytest.mark.parametrize("n_values", [100, 256, 1003])
def test_smallest_values_are_found_by_blocks(n_values):
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 5, n_values)))

    actual = _smallest(values, 12)

    expected = values.argsort(-1)[..., :12]
    torch.testing.assert_close(actual.sort(-1).values, expected.sort(-1).values)
