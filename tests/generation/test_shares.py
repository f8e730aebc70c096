"""Weights that give categories of drawn rows their shares."""

import numpy as np
import pytest

from skae.generation._shares import Shares


def bits(shares, n=20_000, seed=0):
    return (np.random.default_rng(seed).random((n, len(shares))) < shares).astype(float)


def test_rows_that_are_taken_have_the_wanted_shares():
    wanted = np.array([0.04, 0.5, 0.9])
    drawn, later = bits([0.02, 0.4, 0.95]), bits([0.02, 0.4, 0.95], seed=1)
    classes = np.zeros(len(later), dtype=int)

    taken = Shares.of([drawn], [wanted]).taken(later, classes, np.random.RandomState(0))

    np.testing.assert_allclose(later[taken].mean(axis=0), wanted, atol=0.02)
    assert taken.mean() > 0.2


def test_right_shares_are_left_as_they_are():
    drawn = bits([0.1, 0.3])

    shares = Shares.of([drawn], [drawn.mean(axis=0)])

    np.testing.assert_allclose(shares.log_weights, 0, atol=1e-3)


def test_ratios_are_those_of_a_distribution():
    drawn = bits([0.2, 0.6])

    ratios = Shares.of([drawn, drawn], [[0.3, 0.6], [0.2, 0.1]]).log_ratios(drawn)

    assert ratios.shape == (len(drawn), 2)
    np.testing.assert_allclose(np.exp(ratios).mean(axis=0), 1)


@pytest.mark.parametrize("wanted", [0.0, 1.0])
def test_what_is_never_or_always_there_has_finite_weights(wanted):
    shares = Shares.of([bits([0.2])], [[wanted]])

    assert np.isfinite(shares.log_weights).all()
