"""Rubin's rules: numbers by hand, what they tend to, and whether intervals cover."""

import numpy as np
import pytest
from scipy.stats import norm, t

from skae.metrics import pool_estimates


def test_numbers_by_hand():
    pooled = pool_estimates([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])

    # W = 3, B = 1, so T = 3 + 4/3 = 13/3, lambda = 4/13 and r = 4/9.
    df = 2 * (13 / 4) ** 2
    reach = t.ppf(0.975, df) * np.sqrt(13 / 3)
    assert pooled.estimate == 2
    assert pooled.standard_error == pytest.approx(np.sqrt(13 / 3))
    assert pooled.df == pytest.approx(df)
    assert (pooled.low, pooled.high) == pytest.approx((2 - reach, 2 + reach))
    assert pooled.relative_increase == pytest.approx(4 / 9)
    assert pooled.fraction_missing == pytest.approx((4 / 9 + 2 / (df + 3)) / (13 / 9))


def test_degrees_of_freedom_of_small_samples_by_hand():
    pooled = pool_estimates([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], df=7)

    large, observed = 2 * (13 / 4) ** 2, 8 / 10 * 7 * 9 / 13
    assert pooled.df == pytest.approx(large * observed / (large + observed))
    assert pooled.high - pooled.estimate == pytest.approx(
        t.ppf(0.975, pooled.df) * pooled.standard_error
    )


def test_many_degrees_of_freedom_are_as_good_as_unlimited_ones():
    limited, unlimited = (
        pool_estimates([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], df=df) for df in (1e12, None)
    )

    np.testing.assert_allclose(limited, unlimited)


def test_degrees_of_freedom_are_never_more_than_without_missing_values():
    for spread in (0, 1e-3, 1, 1e3):
        assert 0 < pool_estimates([0.0, spread], [1.0, 1.0], df=5).df <= 5


def test_equal_estimates_miss_nothing():
    pooled = pool_estimates([2.0, 2.0, 2.0], [4.0, 4.0, 4.0], level=0.9)

    assert pooled == pytest.approx((2, 2, np.inf, *norm.interval(0.9, 2, 2), 0, 0))


def test_estimates_that_differ_by_rounding_alone():
    pooled = pool_estimates([0.1, np.nextafter(0.1, 1)], [1.0, 1.0])

    assert pooled.fraction_missing == pytest.approx(0, abs=1e-15)
    assert (pooled.low, pooled.high) == pytest.approx(norm.interval(0.95, 0.1, 1))


def test_equal_estimates_of_small_samples():
    pooled = pool_estimates([2.0, 2.0], [4.0, 4.0], df=9)

    assert pooled.df == pytest.approx(10 / 12 * 9)
    assert pooled.fraction_missing == pooled.relative_increase == 0


def test_several_parameters_are_pooled_one_by_one():
    rng = np.random.default_rng(0)
    estimates, variances = rng.normal(size=(5, 3)), rng.random((5, 3))
    estimates[:, 1] = 1.0

    together = pool_estimates(estimates, variances, df=20)

    alone = [pool_estimates(e, v, df=20) for e, v in zip(estimates.T, variances.T, strict=True)]
    np.testing.assert_allclose(np.array(together).T, alone)
    assert together.df.shape == (3,)


def test_units_of_the_estimates():
    rng = np.random.default_rng(0)
    estimates, variances = rng.normal(size=5), rng.random(5)

    one = pool_estimates(estimates, variances)
    other = pool_estimates(1 - 10 * estimates, 100 * variances)

    assert other.standard_error == pytest.approx(10 * one.standard_error)
    assert (other.low, other.high) == pytest.approx((1 - 10 * one.high, 1 - 10 * one.low))
    assert other.fraction_missing == pytest.approx(one.fraction_missing)


def test_higher_levels_have_wider_intervals():
    widths = [
        pooled.high - pooled.low
        for level in (0.5, 0.9, 0.99)
        for pooled in [pool_estimates([1.0, 2.0], [1.0, 1.0], level=level)]
    ]

    assert widths == sorted(widths)


def imputed_means(rng, n_rows, n_known, n_imputations):
    """Return means and their variances after proper imputations of a normal column of mean 0."""
    known = rng.normal(size=n_known)
    variance = known.var(ddof=1) * (n_known - 1) / rng.chisquare(n_known - 1, n_imputations)
    mean = known.mean() + np.sqrt(variance / n_known) * rng.normal(size=n_imputations)
    drawn = rng.normal(size=(n_imputations, n_rows - n_known))
    drawn = mean[:, None] + np.sqrt(variance)[:, None] * drawn
    filled = np.hstack([np.tile(known, (n_imputations, 1)), drawn])
    return filled.mean(axis=1), filled.var(axis=1, ddof=1) / n_rows


def coverage(n_rows, n_known, df):
    rng = np.random.default_rng(0)
    results = np.array([imputed_means(rng, n_rows, n_known, 10) for _ in range(4000)])
    # Each data set is a parameter of its own.
    pooled = pool_estimates(results[:, 0].T, results[:, 1].T, df=df, level=0.9)
    return np.mean((pooled.low < 0) & (pooled.high > 0))


def test_intervals_of_proper_imputations_cover_at_their_level():
    assert coverage(200, 120, df=199) == pytest.approx(0.9, abs=0.015)


def test_intervals_of_few_rows_cover_with_degrees_of_freedom_only():
    assert coverage(10, 5, df=None) < 0.89
    assert 0.9 < coverage(10, 5, df=9) < 0.95


def test_fraction_missing_is_the_share_of_missing_rows():
    rng = np.random.default_rng(0)

    pooled = pool_estimates(*imputed_means(rng, 4000, 3000, 2000))

    assert pooled.fraction_missing == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("estimates", "variances", "message"),
    [
        ([1.0], [1.0], "at least 2 imputations, .* got 1"),
        ([[1.0, 2.0]], [[1.0, 1.0]], "at least 2 imputations, .* got 1"),
        ([1.0, 2.0], [1.0], r"same shape, \(n_imputations,\) or .* got \(2,\) and \(1,\)"),
        (np.ones((2, 3)), np.ones(2), r"got \(2, 3\) and \(2,\)"),
        (np.ones((2, 3, 3)), np.ones((2, 3, 3)), r"got \(2, 3, 3\) and \(2, 3, 3\)"),
        ([1.0, 2.0], [1.0, 0.0], "variances must be positive, got 0"),
        ([1.0, 2.0], [1.0, -2.0], "variances must be positive, got -2"),
        ([1.0, np.nan], [1.0, 1.0], "Input estimates contains NaN"),
        ([1.0, 2.0], [1.0, np.inf], "Input variances contains infinity"),
        (["a", "b"], [1.0, 1.0], "estimates: could not convert"),
        ([], [], "estimates: Found array with 0 sample"),
        (3.0, 1.0, "The 'estimates' parameter of pool_estimates must be"),
    ],
)
def test_bad_estimates(estimates, variances, message):
    with pytest.raises(ValueError, match=message):
        pool_estimates(estimates, variances)


@pytest.mark.parametrize(
    ("option", "value"), [("df", 0), ("df", np.inf), ("df", [3, 4]), ("level", 1.0), ("level", 95)]
)
def test_bad_options(option, value):
    with pytest.raises(ValueError, match=f"The '{option}' parameter of pool_estimates must be"):
        pool_estimates([1.0, 2.0], [1.0, 1.0], **{option: value})
