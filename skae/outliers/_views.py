"""Ways to look at a row beside its neighbours: marginal distributions, whitened residuals.

Each view gives a row a value, higher for rows that are more unlike the training data, as a sum over
features. :class:`Surprise` turns values of all views into the same unit. Everything fitted is a
numpy array, and is applied with torch.
"""

import math
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from .._settings import ROW_MULTIPLE

_SHRINKAGE = 0.1
_WIDEST_COVARIANCE = 1024
_CELLS = 512
SMALL = 1e-9
SMALLEST_WIDTH = 1e-30


def like(array: np.ndarray, x: Tensor) -> Tensor:
    """Return an array as a tensor of the dtype and on the device of another."""
    if not array.flags.writeable:  # memory-mapped, which torch does not take
        array = array.copy()
    tensor = torch.from_numpy(array)
    same = tensor.dtype == x.dtype and tensor.device == x.device
    return tensor if same else tensor.to(device=x.device, dtype=x.dtype)


def padded(x: Tensor) -> Tensor:
    """Return rows and up to 31 more, the last one again, so that they are a multiple of 32.

    Float32 products of one row and of many may differ in their last bits.
    """
    n_more = -len(x) % ROW_MULTIPLE
    return torch.cat([x, x[-1:].expand(n_more, -1)]) if n_more else x


def both_padded(x: Tensor, observed: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return padded rows, and which of their cells were observed; None for all."""
    return padded(x), None if observed is None else padded(observed)


def per_observed(observed: Tensor) -> Tensor:
    """Return by what to multiply sums over the observed features, to compare them between rows."""
    return observed.shape[1] / observed.sum(1).clamp(min=1)


def without_missing(cells: Tensor, observed: Tensor | None) -> Tensor:
    """Return cells, zero where nothing was observed; None says that all were."""
    return cells if observed is None else cells * observed


def as_if_all(sums: Tensor, observed: Tensor | None) -> Tensor:
    """Return sums over the observed cells of rows, as they would be over all; None for all."""
    return sums if observed is None else sums * per_observed(observed)


def over_features(cells: Tensor, observed: Tensor | None) -> Tensor:
    """Return the sums of cells that are zero where nothing was observed, as if all had been."""
    return as_if_all(cells.sum(-1), observed)


@registered
class Surprises:
    """Negative logarithms of the shares of training rows with at least such a value, in each view.

    A p-value on a logarithmic scale; sums of it over views are Fisher's combined statistic. Above
    the largest training value the tail goes on as a power law.

    Parameters
    ----------
    values : ndarray of shape (n_views, n_rows)
        Values of training rows, each without help of the row itself.
    weights : ndarray of shape (n_views,)
        What the surprise in each view is multiplied by.
    """

    values: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        self.values = np.ascontiguousarray(np.sort(self.values.astype(np.float64), axis=1))

    def __call__(self, values: Tensor, first: int = 0, own: bool = False) -> Tensor:
        """Return the weighted surprises at values.

        Parameters
        ----------
        values : Tensor of shape (n_some_views, n_values)
            Values in some of the views, one after the other.
        first : int, default=0
            The first of these views.
        own : bool, default=False
            Whether the values are those of the training rows, each to be seen among the others.

        Returns
        -------
        Tensor of shape (n_some_views, n_values)
            Float64.
        """
        values, chosen = values.double().contiguous(), slice(first, first + len(values))
        known, weights = like(self.values[chosen], values), like(self.weights[chosen], values)
        own = own and known.shape[1] > 1
        n_others = known.shape[1] - own
        largest = known[:, -2 if own else -1, None].clamp(min=SMALL)
        n_as_high = n_others - torch.searchsorted(known, values)
        surprises = math.log(n_others + 1) - (n_as_high + 1).double().log_()
        surprises += (values / largest).clamp_(min=1).log_()
        return surprises.mul_(weights[:, None])


@registered
class Marginals:
    """How rare the value of each feature is, for itself alone.

    Two surprises per cell, read from tables over equal intervals: that of the two-sided tail of the
    empirical distribution (as in ECOD, Li et al., TKDE 2022), and that of the density in a
    histogram, relative to its mode (as in HBOS, Goldstein & Dengel, KI 2012).

    Parameters
    ----------
    low, per_unit : ndarray of shape (n_features,)
        Least value of each feature, and how many intervals a unit has.
    tail, rarity : ndarray of shape (n_features, n_intervals + 2)
        The tables; one interval more on both sides is for values beyond the range.
    own_tail, own_rarity : ndarray or None
        The tables of training rows, each without help of the row itself.
    """

    low: np.ndarray
    per_unit: np.ndarray
    tail: np.ndarray
    rarity: np.ndarray
    own_tail: np.ndarray | None
    own_rarity: np.ndarray | None

    @classmethod
    def of(cls, X: np.ndarray) -> Self:
        """Learn the distributions of training rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Scaled training rows; NaN where missing.

        Returns
        -------
        Marginals
            The tables.
        """
        n, d = X.shape
        n_bins = int(np.clip(math.sqrt(n) / 2, 5, 50))
        n_cells = n_bins * math.ceil(_CELLS / n_bins)
        lows, per_unit = np.zeros((2, d), np.float32)
        shape = d, n_cells + 2
        tail, rarity, own_tail, own_rarity = (np.zeros(shape, np.float32) for _ in range(4))
        for j in range(d):
            x = X[:, j]
            x = x[np.isfinite(x)]
            if len(x) == 0:
                continue
            low, high = float(x.min()), float(x.max())
            width = max(high - low, SMALLEST_WIDTH) if high > low else 1.0
            lows[j], per_unit[j] = low, n_cells / width * (1 - 1e-6)
            cells = ((x - low) * per_unit[j]).astype(int)
            counts = np.bincount(cells + 1, minlength=n_cells + 2)
            outside = np.minimum(counts.cumsum(), counts[::-1].cumsum()[::-1])
            tail[j] = _surprise(2 * (outside + 1) / (len(x) + 2))
            own_tail[j] = _surprise(2 * outside / (len(x) + 1))
            rarity[j], own = _rarities(counts, n_bins)
            # Without the only row at an end, the range would be smaller.
            own[(outside == 1) & (counts == 1)] = rarity[j, 0]
            own_rarity[j] = own
        return cls(lows, per_unit, tail, rarity, own_tail, own_rarity)

    def cells(self, x: Tensor, observed: Tensor | None, own: bool = False) -> tuple[Tensor, Tensor]:
        """Return both surprises of each cell, zero where nothing was observed.

        With `own`, those of the training rows, each without help of the row itself.
        """
        n_cells = self.tail.shape[1]
        place = ((x - like(self.low, x)) * like(self.per_unit, x)).floor_().add_(1)
        place = place.clamp_(0, n_cells - 1).long()
        place += torch.arange(x.shape[1], device=x.device) * n_cells
        tables: Any = (self.own_tail, self.own_rarity) if own else (self.tail, self.rarity)
        tail, rarity = (without_missing(like(t, x).flatten()[place], observed) for t in tables)
        return tail, rarity

    def values(
        self, x: Tensor, observed: Tensor | None, own: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the sums of both surprises; with `own`, each without help of the row itself."""
        tail, rarity = self.cells(x, observed, own=own is not None)
        return over_features(tail, observed), over_features(rarity, observed)

    def forget_own(self) -> None:
        """Drop what only the training rows' own surprises need."""
        self.own_tail = self.own_rarity = None


def _rarities(counts: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the surprise at the density of each cell, for a new row and for one of those counted.

    Equally many cells make up a bin; the first and the last cell, beyond the range, are in none.
    """
    bins = np.append(counts[1:-1].reshape(n_bins, -1).sum(1) + 0.5, 0.5)
    of_cell = np.r_[-1, np.repeat(np.arange(n_bins), (len(counts) - 2) // n_bins), -1]
    others = np.maximum(bins - 1, 0.5)
    modes = np.full(n_bins + 1, bins.max())
    modes[bins.argmax()] = max(np.sort(bins)[-2], others.max())
    return np.log(bins.max() / bins)[of_cell], np.log(modes / others).clip(min=0)[of_cell]


def _surprise(share: np.ndarray) -> np.ndarray:
    return -np.log(share.clip(SMALL, 1))


@registered
class Whitening:
    """Mahalanobis distance as a sum over features.

    Residuals are multiplied by the symmetric root of the inverse of their covariance, which keeps
    each whitened residual closest to that of its own feature. The covariance is shrunk by a tenth
    to a multiple of the identity; of more than 1,024 features it is diagonal. Where features are
    pixels, of which some hardly ever change, residuals may stay as they are instead.

    Parameters
    ----------
    n_rows : int
        Number of training rows.
    mean : ndarray of shape (n_features,)
        Of their residuals.
    root : ndarray of shape (n_features,) or (n_features, n_features), or None
        The root of the inverse of their covariance; None leaves residuals as they are.
    """

    n_rows: int
    mean: np.ndarray
    root: np.ndarray | None

    @classmethod
    def of(cls, residuals: np.ndarray, observed: np.ndarray, apply: bool = True) -> Self:
        """Learn the covariance of residuals.

        Parameters
        ----------
        residuals : ndarray of shape (n_rows, n_features)
            Residuals of training rows that the network has not seen.
        observed : ndarray of shape (n_rows, n_features) of bool
            Which of the cells are not missing.
        apply : bool, default=True
            False leaves residuals as they are.

        Returns
        -------
        Whitening
            What makes it the identity.
        """
        n_rows, d = residuals.shape
        if not apply:
            return cls(n_rows, np.zeros(d, dtype=np.float32), None)
        residuals = residuals.astype(np.float64)
        n_observed = observed.sum(axis=0).clip(min=1)
        mean = (residuals * observed).sum(axis=0) / n_observed
        # Each feature's variance is that of its observed residuals.
        centred = (residuals - mean) * observed * np.sqrt(n_rows / n_observed)
        if d > _WIDEST_COVARIANCE:
            variances = np.square(centred).sum(axis=0) / max(1, n_rows - 1)
            shrunk = (1 - _SHRINKAGE) * variances + _SHRINKAGE * variances.mean() + SMALL
            return cls(n_rows, mean.astype(np.float32), (shrunk**-0.5).astype(np.float32))
        covariance = centred.T @ centred / max(1, n_rows - 1)
        level = np.trace(covariance) / d
        covariance *= 1 - _SHRINKAGE
        covariance.flat[:: d + 1] += _SHRINKAGE * level + SMALL
        variances, axes = np.linalg.eigh(covariance)
        root = (axes * variances**-0.5) @ axes.T
        return cls(n_rows, mean.astype(np.float32), root.astype(np.float32))

    def __call__(self, residuals: Tensor, observed: Tensor | None) -> Tensor:
        """Return the squared whitened residual of each cell, zero where nothing was observed."""
        cells = without_missing(residuals - like(self.mean, residuals), observed)
        if self.root is not None:
            root = like(self.root, residuals)
            cells = cells * root if root.ndim == 1 else cells @ root
            cells = without_missing(cells, observed)
        return cells.square_()

    def distances_without_own(self, cells: Tensor) -> Tensor:
        """Return the distances of training rows, each without help of the row itself.

        By the formula of Sherman and Morrison for the covariance less one row. The level to which
        it is shrunk stays as it is, so the distance of a row that alone makes much of the level is
        understated; its rank is not.
        """
        n = self.n_rows
        if n < 3 or self.root is None:
            return cells.sum(-1)
        less = (1 - _SHRINKAGE) * n / (n - 1) ** 2
        squares = cells if self.root.ndim == 1 else cells.sum(-1, keepdim=True)
        factor = (n / (n - 1)) ** 2 * (n - 2) / (n - 1)
        return (factor * squares / (1 - less * squares).clamp(min=SMALL)).sum(-1)
