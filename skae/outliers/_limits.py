"""Limits of each feature: where a gap cuts off wild values, such as -999, from the rest."""

import math
from typing import Self

import numpy as np
from torch import Tensor

from .._plain import registered
from ._views import like

_OUTER = 0.1  # share of the values on each side that may be wild
_GAP = 3.0  # in ranges of the values in the middle
_RANGES_PER_DISTANCE = 3.8  # of normal values, whose median distance from the median it is in
_HARM = 2.0  # how many times the variance must be that of the others


@registered
class Limits:
    """Between what values each feature lies, but for those that a wide gap cuts off from the rest.

    Cut off are codes for missing values, such as -999, and gross errors, if they at least double
    the variance; long tails are not. Whatever is learned takes such values for missing.

    Parameters
    ----------
    low, high : ndarray of shape (n_features,)
        The least and the largest value that is not wild, whether it has occurred or not; NaN for
        features without wild training values.
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Self:
        """Learn the limits of training rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Training rows; NaN where missing.

        Returns
        -------
        Limits
            The limits.
        """
        return cls(*np.array([_usual_range(x) for x in X.T]).T)

    def __call__(self, x: Tensor) -> Tensor:
        """Return which cells are wild."""
        return (x < like(self.low, x)) | (x > like(self.high, x))


def _usual_range(x: np.ndarray) -> tuple[float, float]:
    """Return the limits of the values of a feature, NaN if none of them is wild.

    Gaps are measured by the range of the values in the middle, or where most are the same, as with
    counts and rare categories, by how far the others are from those.
    """
    x = np.sort(x[np.isfinite(x)].astype(np.float64))
    if len(x) == 0 or x[0] == x[-1]:
        return math.nan, math.nan
    largest = float(np.abs(x[[0, -1]]).max())
    x /= largest  # so that nothing overflows
    first = math.ceil(_OUTER * (len(x) - 1))
    last = len(x) - 1 - first
    distances = np.abs(x - np.median(x))
    distance = np.median(distances[distances > 0])
    width = _GAP * max(x[last] - x[first], _RANGES_PER_DISTANCE * distance)
    is_gap = np.diff(x) > width
    below, above = np.flatnonzero(is_gap[:first]), np.flatnonzero(is_gap[last:])
    start = below[-1] + 1 if len(below) else 0
    stop = last + above[0] + 1 if len(above) else len(x)
    usual = x[start:stop]
    if x.var() < _HARM * usual.var() or len(usual) == len(x):
        return math.nan, math.nan
    return float(usual[0] - width) * largest, float(usual[-1] + width) * largest
