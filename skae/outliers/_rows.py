"""Rows as the detector's networks see them: scaled, damaged, and a copy for every member."""

import math
from typing import Any, Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .._plain import registered
from ..datasets import RowSource
from ..losses import Corruption, GaussianNoise, MaskingNoise
from ..training import Batch, Rows
from ..training._rows import of_array
from ._limits import Limits

_LARGEST_SCALED, _LARGEST = 30.0, 1e15  # what values are clipped to
_ROUNDING, _LEAST_CHANGE = 1e-12, 1e-11  # relative to the largest value


@registered
class BothNoises(Corruption):
    """Gaussian noise for the first half of the members, masking noise for the second.

    Missing cells become zero, the centre of their feature.

    Parameters
    ----------
    level : float
        Standard deviation of the Gaussian noise, in units of the scaled features.
    masked : float
        Share of the cells that masking noise hides.
    """

    level: float
    masked: float

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        first, second = x.chunk(2, dim=1)
        noisy = GaussianNoise(self.level)(first, generator)
        masked = MaskingNoise(self.masked)(second, generator)
        return torch.cat([noisy, masked], dim=1).nan_to_num_(0.0)


@registered
class Scale:
    """Mean and standard deviation of each feature, without its wild values.

    Of the others, those further than ten standard deviations from the mean are moved there, and
    both computed anew, until nothing changes.

    Parameters
    ----------
    center, unit : ndarray of shape (n_features,)
        What is subtracted from each feature, and what it is then divided by.
    largest : float
        What scaled values are clipped to.
    """

    center: np.ndarray
    unit: np.ndarray
    largest: float

    @classmethod
    def of(cls, X: np.ndarray, limits: Limits, apply: bool) -> Self:
        """Learn the scale of training rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Training rows; NaN where missing.
        limits : Limits
            Beyond which cells are wild.
        apply : bool
            False takes the same unit for all features, the root of their mean variance.

        Returns
        -------
        Scale
            The scale.
        """
        d = X.shape[1]
        center, deviations, least = np.zeros(d), np.zeros(d), np.ones(d)
        for j in range(d):
            x = X[:, j].astype(np.float64)
            x = x[np.isfinite(x) & ~((x < limits.low[j]) | (x > limits.high[j]))]
            if len(x) == 0:
                continue
            usual = float(np.partition(x, len(x) // 2)[len(x) // 2])
            # In units of the largest value and around the median, so that nothing overflows.
            largest = float(np.abs(x).max()) or 1.0
            x = x / largest
            middle = float(np.median(x))
            x -= middle
            for _ in range(100):
                mean, deviation = x.mean(), x.std()
                inside = x.clip(mean - 10 * deviation, mean + 10 * deviation)
                if np.array_equal(inside, x):
                    break
                x = inside
            if deviation > _ROUNDING:
                center[j], deviations[j] = (middle + mean) * largest, deviation * largest
            else:  # constant, but for a few rows or for rounding, which must not make a range
                center[j], least[j] = usual, max(1.0, _LEAST_CHANGE * largest)
        if apply:
            return cls(center, np.where(deviations > 0, deviations, least), _LARGEST_SCALED)
        largest = deviations.max() or 1.0
        common = largest * np.sqrt(np.square(deviations / largest).mean()) or 1.0
        return cls(center, np.full(d, common), _LARGEST)

    @property
    def offset(self) -> np.ndarray:
        """What is subtracted from features in their unit, float32."""
        return (self.center / self.unit).astype(np.float32)

    def limits(self, limits: Limits) -> Limits:
        """Return limits of scaled values, which lie between those that all are clipped to."""
        scaled = ((each - self.center) / self.unit for each in (limits.low, limits.high))
        return Limits(*(each.clip(-0.99 * self.largest, 0.99 * self.largest) for each in scaled))

    def __call__(self, X: Any) -> np.ndarray:
        """Return dense scaled rows, float32, clipped to values whose squares are no trouble."""
        X = X.toarray() if sparse.issparse(X) else X
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (X - self.center) / self.unit
        return scaled.clip(-self.largest, self.largest).astype(np.float32)


class ScaledRows(Rows):
    """Scaled rows; NaN for missing cells. The folds of the rows, if given, come with each batch.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_samples, n_features)
        Data.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    scale : Scale
        Applied to each batch.
    folds : ndarray of shape (n_samples,) of int or None, default=None
        What to hand on beside the rows.
    """

    row_multiple = 1  # only products of matrices are of padded rows

    def __init__(
        self,
        X: Any,
        dtype: torch.dtype,
        device: torch.device,
        scale: Scale,
        folds: np.ndarray | None = None,
    ) -> None:
        super().__init__(*X.shape, dtype, device)
        self._X, self._scale, self._folds = X, scale, folds
        self.row_source = X if isinstance(X, RowSource) else None

    def _batch(self, positions: Tensor | slice) -> Batch:
        chosen = of_array(positions)
        x = self._shown(torch.from_numpy(self._scale(self._X[chosen])), chosen)
        x = x.to(device=self.device, dtype=self.dtype)
        folds = () if self._folds is None else (torch.from_numpy(self._folds[chosen]),)
        return Batch(x, x, folds)

    def _shown(self, x: Tensor, chosen: Any) -> Tensor:
        """Return what the network sees of scaled rows."""
        return x


class EnsembleRows(ScaledRows):
    """Scaled rows, once for every member; NaN for those that it must not see, and for wild cells.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_samples, n_features)
        Training data.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    scale : Scale
        Applied to each batch.
    limits : Limits
        Of scaled cells that are not wild.
    seen : ndarray of shape (n_samples, n_members) of bool
        Which member sees which row.
    """

    def __init__(
        self,
        X: Any,
        dtype: torch.dtype,
        device: torch.device,
        scale: Scale,
        limits: Limits,
        seen: np.ndarray,
    ) -> None:
        super().__init__(X, dtype, device, scale)
        self._limits, self._seen = limits, seen
        self.n_features *= seen.shape[1]

    def _shown(self, x: Tensor, chosen: Any) -> Tensor:
        x = x.masked_fill(self._limits(x), math.nan)
        hidden = torch.from_numpy(~self._seen[chosen])
        x = x[:, None].expand(-1, hidden.shape[1], -1).masked_fill(hidden[:, :, None], math.nan)
        return x.flatten(1)
