"""The level of noise in rows, where data has variance in all directions."""

import numpy as np
import pytest

from skae.denoising._level import noise_level


def rows_with_noise(n, d, sigma):
    random = np.random.default_rng(0)
    deviations = np.exp(-4 * np.arange(d) / d)
    return random.normal(size=(n, d)) * deviations + random.normal(0, sigma, (n, d))


@pytest.mark.parametrize(("sigma", "tolerance"), [(0.1, 0.035), (0.3, 0.01), (1.0, 0.01)])
def test_small_variances_of_the_data_are_not_noise(sigma, tolerance):
    found = noise_level(rows_with_noise(5000, 150, sigma))

    assert found == pytest.approx(sigma, rel=tolerance)


@pytest.mark.parametrize("shape", [(40, 300), (300, 40), (2, 5), (3, 2)])
def test_constant_rows_have_none(shape):
    assert noise_level(np.full(shape, 0.1)) < 1e-12


@pytest.mark.parametrize("shape", [(100, 50), (100, 70), (100, 120), (60, 400), (2000, 5)])
def test_noise_alone(shape):
    X = np.random.default_rng(0).normal(0, 0.7, shape)

    assert noise_level(X) == pytest.approx(0.7, rel=0.05)
