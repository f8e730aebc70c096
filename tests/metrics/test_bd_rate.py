"""Bjøntegaard's difference, against curves whose difference is known."""

import re

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import pchip_interpolate

from skae.metrics import bd_rate

BITS, QUALITY = np.array([0.1, 0.25, 0.5, 1.2]), np.array([28.0, 31.0, 33.5, 38.0])


def test_identical_curves():
    assert bd_rate(BITS, QUALITY, BITS, QUALITY) == 0


@pytest.mark.parametrize("factor", [0.5, 1.3])
def test_constant_factor(factor):
    difference = bd_rate(factor * BITS, QUALITY, BITS, QUALITY)

    assert type(difference) is float
    assert difference == pytest.approx(100 * (factor - 1))


def test_exponential_curves():
    # log(bits) is linear, which the interpolation keeps: the mean is that in the middle, at 34.
    q, r = np.array([28.0, 33.0, 36.0]), np.array([32.0, 34.0, 40.0])
    log_ratio = (0.2 * 34 - 1) - (0.1 * 34 - 2)

    difference = bd_rate(np.exp(0.2 * q - 1), q, np.exp(0.1 * r - 2), r)

    assert difference == pytest.approx(100 * np.expm1(log_ratio))


def test_curves_of_different_points():
    bits, quality = [0.2, 0.3, 0.9], [30.0, 31.0, 39.0]

    def log_ratio(q):
        return pchip_interpolate(quality, np.log(bits), q) - pchip_interpolate(
            QUALITY, np.log(BITS), q
        )

    area, _ = quad(log_ratio, 30, 38, points=[31, 33.5])

    assert bd_rate(bits, quality, BITS, QUALITY) == pytest.approx(100 * np.expm1(area / 8))


def test_there_and_back():
    there = bd_rate(BITS, QUALITY, BITS**1.2, QUALITY + 1)
    back = bd_rate(BITS**1.2, QUALITY + 1, BITS, QUALITY)

    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1)


def test_order_and_units_of_bits_do_not_matter():
    order = [2, 0, 3, 1]
    expected = bd_rate(BITS, QUALITY, 2 * BITS, QUALITY - 1)

    assert bd_rate(BITS[order], QUALITY[order], 2 * BITS, QUALITY - 1) == expected
    assert bd_rate(8 * BITS, QUALITY, 16 * BITS, QUALITY - 1) == pytest.approx(expected)


def test_cheapest_point_of_equal_quality_counts():
    bits, quality = np.append(BITS, [0.3, 0.2]), np.append(QUALITY, [31.0, 31.0])
    cheapest = np.where(QUALITY == 31, 0.2, BITS)

    assert bd_rate(bits, quality, BITS, QUALITY) == bd_rate(cheapest, QUALITY, BITS, QUALITY)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([1, 2], [3, 4], [1, 2], [4, 5]), "overlap, got qualities from 3 to 4 and from 4 to 5"),
        (([1], [3], BITS, QUALITY), "at least 2 different values in quality, got 1"),
        ((BITS, QUALITY, [1, 2], [9, 9]), "2 different values in quality_reference, got 1"),
        (([0, 2], [3, 4], BITS, QUALITY), "bits must be positive, got 0"),
        ((BITS, QUALITY, [1, -2], [3, 4]), "bits_reference must be positive, got -2"),
        (([1, 2, 3], [3, 4], BITS, QUALITY), "bits and quality must have as many points, got 3"),
        (([1, np.nan], [3, 4], BITS, QUALITY), "Input bits contains NaN"),
        ((BITS, QUALITY, [1, 2], [3, np.inf]), "Input quality_reference contains infinity"),
        (([[1, 2]], [[3, 4]], BITS, QUALITY), "bits must have shape (n_points,), got (1, 2)"),
    ],
)
def test_bad_curves(arrays, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        bd_rate(*arrays)
