"""How much noise there is in rows, by the law of the smallest variances of noise alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of the variances: the smallest ones, in which there is little else than noise. Where there are
# about as many rows as columns, those of noise go down to zero, and few of them tell nothing.
_SHARE, _SHARE_OF_SQUARE = 0.05, 0.25
_FAR_FROM_SQUARE = 2  # times as many rows as columns, or the other way round
_N_ROUNDS, _N_POINTS = 20, 4000
# More rounds follow the data's own scatter; spectra of few columns scatter, and are averaged.
_N_CORRECTIONS, _N_COLUMNS = 4, 512
_TINY = 1e-300


def noise_level(X: NDArray) -> float:
    """Return the standard deviation of the white noise in rows.

    The smallest variances of principal components are those of noise. They scatter around its
    variance as the law of Marchenko and Pastur (Mathematics of the USSR-Sbornik 1, 1967) says. Data
    has a little variance in these directions too. Where there are enough rows, variances are found
    that scatter to those of the rows, and the smallest are taken.

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
    variances = (variances[1:] if is_wide else variances).clip(min=0)
    noise, n_noise = _smallest(variances, n, d)
    if noise > 0 and n >= _FAR_FROM_SQUARE * d:
        noise = _without_data(variances, n, noise, n_noise)
    return noise**0.5


def _smallest(variances: NDArray, n: int, d: int) -> tuple[float, int]:
    """Return the variance of noise by the smallest variances, and how many are noise alone."""
    share = _SHARE if max(n, d) >= _FAR_FROM_SQUARE * min(n, d) else _SHARE_OF_SQUARE
    n_used = max(1, int(share * len(variances)))
    smallest, n_noise = variances[:n_used], len(variances)
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
    return noise, n_noise


def _without_data(variances: NDArray, n: int, noise: float, n_noise: int) -> float:
    """Return the variance of noise if data has variance in all directions."""
    d, random = len(variances), np.random.default_rng(0)
    true, place = np.full(d, noise), np.arange(n_noise)
    excess = variances[n_noise:] / noise - 1 - d / n
    true[n_noise:] *= 1 + (excess + (excess**2 - 4 * d / n).clip(min=0) ** 0.5).clip(min=0) / 2
    for _ in range(_N_CORRECTIONS):
        scattered = [_scattered(true, n, random) for _ in range(max(1, _N_COLUMNS // d))]
        ratio = np.log(variances.clip(min=_TINY)) - np.log(np.clip(scattered, _TINY, None)).mean(0)
        if n_noise > 2:
            ratio[:n_noise] = np.polyval(np.polyfit(place, ratio[:n_noise], 1), place)
        true = np.sort(true * np.exp(ratio))
    return float(true[: max(1, int(_SHARE * d))].mean())


def _scattered(variances: NDArray, n: int, random: np.random.Generator) -> NDArray:
    """Return variances of the principal components of `n` normal rows, drawn (Bartlett)."""
    d = len(variances)
    root = np.tril(random.standard_normal((d, d)), -1)
    np.fill_diagonal(root, random.chisquare(n - np.arange(d)) ** 0.5)
    root *= variances[:, None] ** 0.5
    return np.linalg.eigvalsh(root @ root.T / n)


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
