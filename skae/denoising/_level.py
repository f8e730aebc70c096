"""How much noise there is in rows, by the law of the smallest variances of noise alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHARE = 0.25  # of the variances: the smallest ones, in which there is little else than noise
_N_ROUNDS, _N_POINTS = 20, 4000


def noise_level(X: NDArray) -> float:
    """Return the standard deviation of the white noise in rows.

    The smallest variances of principal components are those of noise. They scatter around its
    variance as the law of Marchenko and Pastur (Mathematics of the USSR-Sbornik 1, 1967) says.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Noisy rows, at least 2, in at least 2 columns.

    Returns
    -------
    float
        In the units of the data; what is not noise in all directions makes it larger.
    """
    rows = np.subtract(X, X.mean(0, dtype=np.float64), dtype=np.float64)
    n, d = len(rows) - 1, rows.shape[1]  # the mean has taken one
    is_wide = d > n
    gram = rows @ rows.T if is_wide else rows.T @ rows
    variances = np.linalg.eigvalsh(gram / n)
    variances = variances[1:] if is_wide else variances
    n_used = max(1, int(_SHARE * len(variances)))
    smallest, n_noise = variances[:n_used].clip(min=0), len(variances)
    for _ in range(_N_ROUNDS):
        # What is not noise takes directions of the rows and of the columns away from it.
        n_other = len(variances) - n_noise
        ratio, share = (d - n_other) / (n - n_other), (n - n_other) / n
        expected = share * _quantiles(ratio, (np.arange(n_used) + 0.5) / n_noise)
        noise = float(np.median(smallest / expected))
        highest = noise * share * (1 + ratio**0.5) ** 2
        before, n_noise = n_noise, max(int((variances <= highest).sum()), n_used)
        if n_noise == before:
            break
    return noise**0.5


def _quantiles(ratio: float, shares: NDArray) -> Any:
    """Return quantiles of the variances that are not zero, of white noise of variance one.

    Parameters
    ----------
    ratio : float
        Number of columns divided by that of rows.
    shares : ndarray
        Which quantiles.

    Returns
    -------
    ndarray of the shape of `shares`
        The quantiles.
    """
    low, high = (1 - ratio**0.5) ** 2, (1 + ratio**0.5) ** 2
    # Denser at both ends, where the density has roots, or at zero a pole.
    angles = (np.arange(_N_POINTS) + 0.5) / _N_POINTS * np.pi
    points = low + (high - low) * (1 - np.cos(angles)) / 2
    mass = np.sin(angles) ** 2 / points
    cumulated = np.cumsum(mass)
    return np.interp(shares, (cumulated - mass / 2) / cumulated[-1], points)
