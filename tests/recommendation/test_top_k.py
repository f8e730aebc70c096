"""The best items of a row, against a sort of everything."""

import numpy as np
import pytest

from skae.recommendation._top_k import top_k


def sorted_fully(scores, k):
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    values = np.take_along_axis(scores, order, axis=1)
    missing = k - order.shape[1]
    order = np.pad(
        np.where(values == -np.inf, -1, order), ((0, 0), (0, missing)), constant_values=-1
    )
    return order, np.pad(values, ((0, 0), (0, missing)), constant_values=-np.inf)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_items", [1, 2, 7, 97, 1000])
@pytest.mark.parametrize("k", [1, 3, 10, 150])
@pytest.mark.parametrize("n_levels", [1, 3, 10**6])
def test_equals_a_stable_sort(dtype, n_items, k, n_levels):
    rng = np.random.default_rng(0)
    scores = rng.integers(-n_levels, n_levels, (9, n_items)).astype(dtype) / 7
    scores[rng.random(scores.shape) < rng.random((9, 1))] = -np.inf
    scores[0] = -np.inf

    ids, values = top_k(scores, k)

    expected, best = sorted_fully(scores, k)
    assert ids.dtype == np.int64
    assert values.dtype == dtype
    np.testing.assert_array_equal(ids, expected)
    np.testing.assert_array_equal(values, best)


def test_zeros_of_both_signs_are_equal():
    ids, _ = top_k(np.array([[-0.0, 0.0, -0.0, 0.0]]), 4)

    assert ids.tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
def test_without_rows_or_items_there_is_only_padding(shape):
    ids, values = top_k(np.zeros(shape), 2)

    assert ids.shape == values.shape == (shape[0], 2)
    assert (ids == -1).all()
    assert (values == -np.inf).all()


def test_scores_stay_as_they_are_and_may_be_a_view():
    scores = np.asfortranarray(np.random.default_rng(0).random((30, 40)))[::2, 3:]
    before = scores.copy()

    ids, _ = top_k(scores, 5)

    np.testing.assert_array_equal(ids, sorted_fully(before, 5)[0])
    np.testing.assert_array_equal(scores, before)


def test_rows_of_several_chunks_do_not_mix(monkeypatch):
    scores = np.random.default_rng(0).integers(0, 9, (23, 50)).astype(np.float32)
    monkeypatch.setattr("skae.recommendation._top_k._CELLS", 200)

    ids, _ = top_k(scores, 7)

    np.testing.assert_array_equal(ids, sorted_fully(scores, 7)[0])
