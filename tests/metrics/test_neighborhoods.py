"""Precision, recall, density and coverage, by brute force and by what is expected of them."""

import tracemalloc

import numpy as np
import pytest

from skae.metrics import density_coverage, precision_recall


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def radius(X, i, n_neighbors):
    others = [np.linalg.norm(X[i] - X[j]) for j in range(len(X)) if j != i]
    return sorted(others)[n_neighbors - 1]


def hits(points, centers, n_neighbors):
    """Return which points lie in which balls."""
    radii = [radius(centers, i, n_neighbors) for i in range(len(centers))]
    return np.array(
        [[np.linalg.norm(p - c) <= r for c, r in zip(centers, radii, strict=True)] for p in points]
    )


@pytest.mark.parametrize("n_neighbors", [1, 3, 9])
@pytest.mark.parametrize("n_features", [1, 4, 40])
def test_precision_and_recall_by_brute_force(rng, n_neighbors, n_features):
    real = rng.normal(size=(35, n_features))
    generated = 0.7 * rng.normal(size=(25, n_features)) + 0.3

    result = precision_recall(real, generated, n_neighbors=n_neighbors)

    assert result.precision == hits(generated, real, n_neighbors).any(axis=1).mean()
    assert result.recall == hits(real, generated, n_neighbors).any(axis=1).mean()


@pytest.mark.parametrize("n_neighbors", [1, 3, 9])
@pytest.mark.parametrize("n_features", [1, 4, 40])
def test_density_and_coverage_by_brute_force(rng, n_neighbors, n_features):
    real = rng.normal(size=(35, n_features))
    generated = 0.7 * rng.normal(size=(25, n_features)) + 0.3

    result = density_coverage(real, generated, n_neighbors=n_neighbors)

    expected = hits(generated, real, n_neighbors)
    assert result.density == pytest.approx(expected.sum() / (n_neighbors * 25))
    assert result.coverage == expected.any(axis=0).mean()


def test_grid_by_brute_force(rng):
    """Distances of grid points are often equal, and copies have none."""
    real, generated = rng.integers(0, 5, size=(40, 2)), rng.integers(0, 5, size=(30, 2))

    density, coverage = density_coverage(real, generated, n_neighbors=2)

    expected = hits(generated, real, 2)
    assert density == pytest.approx(expected.sum() / (2 * 30))
    assert coverage == expected.any(axis=0).mean()


@pytest.mark.parametrize("offset", [0, 1e5])
@pytest.mark.parametrize("n_features", [3, 50])
def test_copies_of_all_rows(rng, offset, n_features):
    X = rng.normal(size=(100, n_features)) + offset

    assert precision_recall(X, X) == (1.0, 1.0)
    density, coverage = density_coverage(X, X, n_neighbors=4)
    assert density == pytest.approx(5 / 4)  # each ball holds its center and 4 neighbours
    assert coverage == 1.0


def test_copies_lie_in_balls_without_extent(rng):
    X = np.repeat(rng.normal(size=(20, 30)), 5, axis=0)  # 4 neighbours at distance 0

    assert precision_recall(X, X[::5].repeat(4, axis=0), n_neighbors=3) == (1.0, 1.0)
    assert density_coverage(X, X[::5], n_neighbors=4).coverage == 1.0


def test_samples_far_apart(rng):
    X, Y = rng.normal(size=(2, 50, 3))

    assert precision_recall(X, Y + 100) == (0.0, 0.0)
    assert density_coverage(X, Y + 100) == (0.0, 0.0)


def test_recall_is_precision_the_other_way_round(rng):
    X, Y = rng.normal(size=(50, 3)), rng.normal(size=(40, 3)) + 0.5

    assert precision_recall(X, Y) == precision_recall(Y, X)[::-1]


def test_missing_mode_costs_recall_and_coverage_alone(rng):
    real = rng.normal(size=(200, 2))
    real[::2] += 50
    generated = rng.normal(size=(200, 2))

    precision, recall = precision_recall(real, generated)
    density, coverage = density_coverage(real, generated)

    assert precision > 0.9
    assert 0.4 < recall <= 0.5
    assert density > 0.9
    assert 0.4 < coverage <= 0.5


def test_outlier_among_real_rows_moves_precision_more_than_density(rng):
    real = rng.normal(size=(200, 2))
    real[0] = 30
    generated = rng.normal(size=(200, 2)) + 20

    assert precision_recall(real, generated).precision > 0.9
    assert density_coverage(real, generated).density <= 1 / 5


@pytest.mark.parametrize("n_neighbors", [1, 2, 5])
def test_expected_density_and_coverage_of_one_distribution(n_neighbors):
    n = 60
    results = [
        density_coverage(
            *np.random.default_rng(seed).normal(size=(2, n, 2)), n_neighbors=n_neighbors
        )
        for seed in range(100)
    ]

    k = np.arange(1, n_neighbors + 1)
    expected_coverage = 1 - np.prod((n - k) / (2 * n - k))
    density, coverage = np.mean(results, axis=0)
    assert density == pytest.approx(1, abs=0.03)
    assert coverage == pytest.approx(expected_coverage, abs=0.02)


@pytest.mark.parametrize("metric", [precision_recall, density_coverage])
def test_matrix_of_distances_is_never_held(metric, rng):
    X, Y = rng.normal(size=(2, 4000, 2))

    tracemalloc.start()
    metric(X, Y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 4000 * 4000 * 8 / 2


@pytest.mark.parametrize("metric", [precision_recall, density_coverage])
def test_samples_of_many_chunks_are_counted_whole(metric, rng):
    """Copies of a small sample leave the shares as they are."""
    X, Y = rng.normal(size=(1500, 2)), rng.normal(size=(100, 2))

    fidelity, _ = metric(X, np.tile(Y, (120, 1)))

    assert fidelity == pytest.approx(metric(X, Y)[0])


@pytest.mark.parametrize("metric", [precision_recall, density_coverage])
def test_result_is_named_floats(metric, rng):
    result = metric(*rng.normal(size=(2, 20, 2)))

    assert result._fields == tuple(metric.__name__.split("_"))
    assert [type(value) for value in result] == [float, float]
