"""What tables of frequencies say of integers: how long their codes are, and what they stand for."""

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ._quantizer import BIT_WEIGHT, DEAD_ZONE
from ._regression import LOG_SCALES

N_TABLES, N_CENTROIDS = 64, 3
TABLE_SPACING = (LOG_SCALES[1] - LOG_SCALES[0]) / (N_TABLES - 1)  # of logarithms of scales
_N_LENGTHS = 34
_RADIUS, _LONGEST = 250, 30.0  # of the law of Laplace, which no table of frequencies stands for


def table_scales() -> np.ndarray:
    """Return the scales of all tables, from the least to the greatest.

    Returns
    -------
    ndarray of shape (64,)
        In steps.
    """
    return np.exp(np.linspace(*LOG_SCALES, N_TABLES))


def laplace_centroids() -> np.ndarray:
    """Return how far the means of Laplace laws lie from integers.

    Returns
    -------
    ndarray of shape (64, 3)
        By table, for magnitudes of 1, 2, and 3 or more.
    """
    values = table_scales()
    # In an interval of length one.
    centroids = -DEAD_ZONE + values - 1 / np.expm1(np.minimum(1 / values, 60))
    return np.repeat(centroids[:, None], N_CENTROIDS, 1)


class Law:
    """How integers are coded by each table, and which values they stand for.

    Parameters
    ----------
    lengths : ndarray of shape (64, 2 * radius + 1)
        Bits that each table spends on the integers from the least to the greatest.
    centroids : ndarray of shape (64, 3)
        How far the mean lies from an integer of magnitude 1, 2, and 3 or more: by table.
    unit : float or None, default=None
        What centroids are rounded to multiples of; None leaves them as they are.
    """

    def __init__(
        self, lengths: np.ndarray, centroids: np.ndarray, unit: float | None = None
    ) -> None:
        if unit is not None:
            centroids = np.round(centroids / unit) * unit
        self.bits = torch.from_numpy(lengths).float()
        self.radius = lengths.shape[1] // 2
        # Of the integers from the least that has one of its own to the greatest.
        zero = np.zeros((N_TABLES, 1))
        self._shifts = torch.from_numpy(np.concatenate([-centroids[:, ::-1], zero, centroids], 1))
        self._shifts = self._shifts.float()
        known = lengths[:, self.radius :][:, :_N_LENGTHS]
        self._thresholds = torch.from_numpy(_rounding_thresholds(known, centroids)).float()

    @classmethod
    def laplace(cls, unit: float | None = None) -> "Law":
        """Return what the tables of Laplace laws say, before anything was counted.

        Parameters
        ----------
        unit : float or None, default=None
            What centroids are rounded to multiples of.

        Returns
        -------
        Law
            That of magnitudes up to 250.
        """
        magnitudes = np.arange(_RADIUS + 1)
        edges = np.concatenate([[0], magnitudes[1:] - DEAD_ZONE, [_RADIUS + 1 - DEAD_ZONE]])
        beyond = np.exp(-edges / table_scales()[:, None])
        shares = np.maximum(beyond[:, :-1] - beyond[:, 1:], 2**-_LONGEST)
        shares[:, 1:] /= 2
        bits = -np.log2(shares)
        return cls(np.concatenate([bits[:, :0:-1], bits], 1), laplace_centroids(), unit)

    def values(self, integers: Tensor, which: Tensor) -> Tensor:
        """Return the expected values of what was rounded to integers.

        Parameters
        ----------
        integers : Tensor of int
            What was coded.
        which : Tensor of int of the same shape
            By which table.

        Returns
        -------
        Tensor of the same shape
            Values, but for means.
        """
        places = integers.clamp(-N_CENTROIDS, N_CENTROIDS) + N_CENTROIDS
        return integers + looked_up(self._shifts, which, places)

    def rounded(self, residuals: Tensor, which: Tensor) -> Tensor:
        """Return whichever of the two nearest integers costs less, in squared error and bits.

        Parameters
        ----------
        residuals : Tensor
            Distances from means, in steps.
        which : Tensor of int of the same shape
            The tables.

        Returns
        -------
        Tensor of int32 of the same shape
            Integers.
        """
        magnitude = residuals.abs()
        low = magnitude.clamp(max=2**30).int()
        known = low.clamp(max=self._thresholds.shape[1] - 1)
        is_high = magnitude - (low - known) > looked_up(self._thresholds, which, known)
        is_high &= magnitude > low  # what is whole stays what it is
        return residuals.sign().int() * (low + is_high)

    def lengths(self, integers: Tensor, which: Tensor) -> Tensor:
        """Return the lengths of codes.

        Parameters
        ----------
        integers : Tensor of int
            What to code; far ones count as the farthest that is known.
        which : Tensor of int of the same shape
            The tables.

        Returns
        -------
        Tensor of the same shape
            Bits.
        """
        r = self.radius
        return looked_up(self.bits, which, integers.clamp(-r, r) + r)

    @cached_property
    def by_magnitude(self) -> Tensor:
        """Bits of magnitudes, of shape (64, 251)."""
        return self.bits[:, self.radius :][:, : _RADIUS + 1].contiguous()


def _rounding_thresholds(bits: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Return below which magnitudes it costs less to round down, in squared error and bits.

    `bits` are those of the magnitudes from zero on; the thresholds lie between each magnitude and
    the next, as far as rounding looks at them.
    """
    n = np.arange(bits.shape[1])
    shifts = np.pad(centroids, [(0, 0), (1, 0)])
    values = n + shifts[:, n.clip(max=N_CENTROIDS)]
    dearer = np.diff(values**2) + BIT_WEIGHT * np.diff(bits)
    return dearer / (2 * np.diff(values))


def looked_up(table: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return entries of a table, the fastest way."""
    places = torch.add(columns, rows, alpha=table.shape[1])
    return table.flatten().index_select(0, places.flatten()).reshape(places.shape)
