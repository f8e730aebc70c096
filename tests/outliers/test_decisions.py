"""p-values and the control of false discoveries, against brute force, by hand and SciPy."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from skae.outliers._decisions import benjamini_hochberg, conformal_p_values


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# ---------------------------------------------------------------- conformal p-values


def test_p_value_is_the_share_of_rows_at_most_as_normal():
    p_values = conformal_p_values(np.array([0.5, 1.0, 2.5, 9.0]), np.array([3.0, 1.0, 2.0]))

    np.testing.assert_array_equal(p_values, [1 / 4, 2 / 4, 3 / 4, 4 / 4])


def test_p_values_by_brute_force(rng):
    scores, held_out = rng.integers(0, 20, size=50), rng.integers(0, 20, size=30)

    expected = [(1 + sum(h <= score for h in held_out)) / 31 for score in scores]

    np.testing.assert_allclose(conformal_p_values(scores, held_out), expected, rtol=1e-15)


def test_p_values_of_folds_by_brute_force(rng):
    scores, held_out = rng.integers(0, 20, size=(50, 3)), rng.integers(0, 20, size=31)
    folds = rng.permutation(31) % 3

    pairs = list(zip(held_out, folds, strict=True))
    expected = [(1 + sum(h <= row[fold] for h, fold in pairs)) / 32 for row in scores]

    np.testing.assert_allclose(conformal_p_values(scores, held_out, folds), expected, rtol=1e-15)


def test_folds_with_the_same_scores_are_like_one(rng):
    scores, held_out = rng.normal(size=50), rng.normal(size=30)

    p_values = conformal_p_values(np.tile(scores[:, None], 5), held_out, np.arange(30) % 5)

    np.testing.assert_array_equal(p_values, conformal_p_values(scores, held_out))


def test_fold_without_rows_does_not_count(rng):
    scores, held_out = rng.normal(size=(50, 2)), rng.normal(size=30)

    p_values = conformal_p_values(scores, held_out, np.ones(30, dtype=int))

    np.testing.assert_array_equal(p_values, conformal_p_values(scores[:, 1], held_out))


# ---------------------------------------------------------------- Benjamini and Hochberg


@pytest.mark.parametrize(
    ("p_values", "fdr", "rejected"),
    [
        ([0.01, 0.02, 0.03, 0.04], 0.05, [True, True, True, True]),
        ([0.02, 0.03, 0.04, 0.05], 0.05, [True, True, True, True]),  # though 0.02 > 0.05 / 4
        ([0.001, 0.5, 0.03, 0.9], 0.05, [True, False, False, False]),
        ([0.5, 0.02, 0.9, 0.024], 0.05, [False, True, False, True]),
        ([0.5, 0.02, 0.9, 0.026], 0.05, [False, False, False, False]),
        ([0.05], 0.05, [True]),
        ([0.06], 0.05, [False]),
        ([0.025, 0.025, 1.0, 1.0], 0.05, [True, True, False, False]),
    ],
)
def test_rejections_by_hand(p_values, fdr, rejected):
    np.testing.assert_array_equal(benjamini_hochberg(np.array(p_values), fdr), rejected)


@pytest.mark.parametrize("fdr", [0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_rejections_are_those_of_scipy(fdr, seed):
    rng = np.random.default_rng(seed)
    p_values = np.concatenate([rng.random(150), 0.01 * rng.random(20), np.full(3, 0.004)])

    expected = false_discovery_control(p_values) <= fdr

    np.testing.assert_array_equal(benjamini_hochberg(p_values, fdr), expected)


def test_nothing_to_reject():
    assert not benjamini_hochberg(np.ones(7), 0.1).any()


def test_no_hypotheses():
    assert benjamini_hochberg(np.empty(0), 0.1).shape == (0,)
