"""Distances to closest records, by brute force, and what memory of training rows does to them."""

import numpy as np
import pytest

from skae.metrics import distance_to_closest_record


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("n_features", [1, 5, 40])
def test_distances_by_brute_force(rng, n_features):
    train, generated = rng.normal(3, 5, (50, n_features)), rng.normal(4, 5, (30, n_features))

    distances, share = distance_to_closest_record(generated, train)

    scale = train.std(axis=0)
    expected = [
        min(np.linalg.norm((row - record) / scale) for record in train) for row in generated
    ]
    np.testing.assert_allclose(distances, expected)
    assert share is None


@pytest.mark.parametrize("n_features", [2, 40])
def test_copies_have_no_distance(rng, n_features):
    train = 1e6 + rng.normal(size=(100, n_features))

    distances, _ = distance_to_closest_record(train[::-1], train)

    assert not distances.any()


def test_units_do_not_matter(rng):
    train, holdout, generated = rng.normal(size=(3, 60, 3))
    units = np.array([1000.0, 1.0, 0.001])

    one = distance_to_closest_record(generated, train, holdout)
    other = distance_to_closest_record(generated * units, train * units, holdout * units)

    np.testing.assert_allclose(one.distances, other.distances)
    assert one.share_closer_to_train == other.share_closer_to_train


def test_constant_feature_keeps_its_units(rng):
    train = np.column_stack([rng.normal(size=20), np.full(20, 7.0)])

    distances, _ = distance_to_closest_record(train + np.array([0, 3]), train)

    np.testing.assert_allclose(distances, 3)


def test_share_by_hand():
    train, holdout = np.array([[0.0], [10.0]]), np.array([[4.0], [20.0]])
    generated = np.array(
        [[1.0], [2.0], [3.0], [9.0], [16.0]]
    )  # train, tie, holdout, train, holdout

    result = distance_to_closest_record(generated, train, holdout)

    assert result.share_closer_to_train == (1 + 0.5 + 0 + 1 + 0) / 5


def test_share_of_new_rows_is_a_half(rng):
    train, holdout, generated = rng.normal(size=(3, 2000, 3))

    share = distance_to_closest_record(generated, train, holdout).share_closer_to_train

    assert share == pytest.approx(0.5, abs=0.04)


def test_share_of_remembered_rows_is_one(rng):
    train, holdout = rng.normal(size=(2, 200, 5))
    generated = train + 1e-3 * rng.normal(size=train.shape)

    share = distance_to_closest_record(generated, train, holdout).share_closer_to_train

    assert share == 1.0


def test_rows_that_both_hold_count_half(rng):
    rows = rng.integers(0, 3, size=(50, 2))

    assert distance_to_closest_record(rows, rows, rows).share_closer_to_train == 0.5


@pytest.mark.parametrize(("n_train", "n_holdout"), [(4000, 400), (400, 4000)])
def test_longer_sample_has_no_advantage(rng, n_train, n_holdout):
    train, holdout, generated = (rng.normal(size=(n, 2)) for n in (n_train, n_holdout, 1000))

    share = distance_to_closest_record(
        generated, train, holdout, random_state=0
    ).share_closer_to_train

    assert share == pytest.approx(0.5, abs=0.06)


def test_distances_are_to_all_training_rows(rng):
    train, holdout = rng.normal(size=(100, 2)), rng.normal(size=(10, 2))

    assert not distance_to_closest_record(train, train, holdout, random_state=0).distances.any()


def test_random_state_repeats_the_draw(rng):
    train, holdout, generated = (rng.normal(size=(n, 2)) for n in (500, 50, 200))

    first, second, other = (
        distance_to_closest_record(
            generated, train, holdout, random_state=seed
        ).share_closer_to_train
        for seed in (1, 1, 2)
    )

    assert first == second != other
