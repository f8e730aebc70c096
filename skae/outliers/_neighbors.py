"""How far a row's neighbours are, in small samples of training rows and in all of them."""

import math
from dataclasses import field
from typing import Self

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from .._settings import ROW_MULTIPLE
from ._gradients import OrientedGradients
from ._views import (
    SMALL,
    both_padded,
    like,
    per_observed,
    without_missing,
)

_N_SAMPLES = 20
_N_REFERENCES = 640
_N_NEAR, _N_LOCAL = 5, 10
_MOST_CELLS = 2**23  # of reference rows
_NARROWEST, _NARROWEST_OF_SAMPLES = 1e-3, 1e-9  # range of a feature, relative to the widest
_LEAST_SPACING = 1e-2  # relative to the mean
_LARGEST_SQUARE = 1e30
_N_SPARE = 6  # candidates more than are sought
_BLOCK = 8  # values of which the smallest is taken at once
_CELLS_AT_ONCE = 2**19


@registered
class Samples:
    """Distance from the nearest row in each of some small samples, as in LeSiNN.

    Pang, Ting & Albrecht, "LeSiNN", ICDM workshops 2015: nearest neighbours in small samples tell
    outliers from the rest also where outliers have many of their like. Features are scaled to equal
    ranges.

    Parameters
    ----------
    per_unit : ndarray of shape (n_features,)
        What features are multiplied by.
    rows : ndarray of shape (n_rows, n_features)
        The rows of all samples, multiplied.
    own : ndarray of shape (n_rows,) of int
        Identity of the rows, to leave out themselves.
    size : int
        Number of rows of a sample.
    """

    per_unit: np.ndarray
    rows: np.ndarray
    own: np.ndarray
    size: int
    squares: np.ndarray = field(init=False)
    norms: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.squares = np.square(self.rows)
        # To the last bit those of complete rows beside incomplete ones.
        all_observed = torch.ones(ROW_MULTIPLE, self.squares.shape[1])
        self.norms = (all_observed @ torch.from_numpy(self.squares).T)[0].numpy()

    @classmethod
    def of(cls, X: np.ndarray, own: np.ndarray) -> Self:
        """Take samples of training rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Scaled training rows, NaN where missing, in random order.
        own : ndarray of shape (n_rows,) of int
            Identity of the rows.

        Returns
        -------
        Samples
            The samples.
        """
        per_unit = (1 / _ranges(X, _NARROWEST_OF_SAMPLES)).astype(np.float32)
        size = max(1, min(_N_REFERENCES, len(X)) // _N_SAMPLES)
        n_used = min(len(X), size * _N_SAMPLES)
        return cls(per_unit, np.nan_to_num(X[:n_used]) * per_unit, own[:n_used], size)

    def _distances(self, x: Tensor, observed: Tensor | None, own: Tensor | None = None) -> Tensor:
        """Return squared distances from the rows of each sample, over observed features."""
        rows, n_rows = like(self.rows, x), len(x)
        # The values come from these products, and so must not depend on how many rows there are.
        x, observed = both_padded(x, observed)
        if observed is None:
            norms = like(self.norms, x)
        else:
            norms = observed.to(x.dtype) @ like(self.squares, x).T
        distances = torch.addmm(norms, x, rows.T, alpha=-2) + x.square().sum(1, keepdim=True)
        distances = distances[:n_rows]
        distances = distances.view(n_rows, -1, self.size)
        if own is not None and len(rows) > self.size:
            is_own = own[:, None] == torch.as_tensor(self.own, device=x.device)
            is_there = is_own.view(n_rows, -1, self.size).any(2)
            distances = distances.masked_fill(is_there[:, :, None], math.inf)
        return distances

    def values(
        self, x: Tensor, observed: Tensor | None, own: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Return the mean distance from the nearest rows.

        With `own`, over the samples that do not hold the row itself.
        """
        nearest = self._distances(x * like(self.per_unit, x), observed, own).amin(2)
        distances = nearest.clamp_(min=0).sqrt_()
        if own is None:
            mean = distances.mean(1)
        else:
            finite = distances.isfinite()
            mean = distances.masked_fill_(~finite, 0).sum(1) / finite.sum(1).clamp(min=1)
        return (mean if observed is None else mean * per_observed(observed).sqrt(),)

    def cells(self, x: Tensor, observed: Tensor | None) -> tuple[Tensor, ...]:
        """Return the mean squared distance by features."""
        x = x * like(self.per_unit, x)
        place = self._distances(x, observed).argmin(2)
        place = place + torch.arange(place.shape[1], device=x.device) * self.size
        cells = (x[:, None] - like(self.rows, x)[place]).square().mean(1)
        return (without_missing(cells, observed),)


@registered
class Nearest:
    """Distances from the nearest of many training rows, in one or two units.

    The mean distance from the five nearest (Ramaswamy, Rastogi & Shim, SIGMOD 2000) and, if
    wanted, that from the ten nearest relative to their own (as in LOF, Breunig et al., SIGMOD
    2000).

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Training rows, or features of images.
    own : ndarray of shape (n_rows,) of int
        Identity of the rows, to leave out themselves.
    squared_units : ndarray of shape (n_units, n_features)
        What squared differences are multiplied by: one, and in the second unit the squares of
        what makes all ranges equal.
    spacings : ndarray of shape (n_units, n_rows) or None
        Mean distances of the rows from the ten nearest others.
    gradients : OrientedGradients or None
        What makes features of images, whose distances are meant instead of those of their pixels.
    """

    rows: np.ndarray
    own: np.ndarray
    squared_units: np.ndarray
    spacings: np.ndarray | None = None
    gradients: OrientedGradients | None = None
    keys: np.ndarray = field(init=False)  # what rows are multiplied by for their squared distances
    marks: np.ndarray = field(init=False)  # what says in which unit they are

    def __post_init__(self) -> None:
        norms = self.squared_units @ np.square(self.rows).T
        self.keys = np.concatenate([-2 * self.rows.T, norms])
        self.marks = np.eye(len(norms), dtype=np.float32)[:, None]

    @classmethod
    def of(
        cls,
        X: np.ndarray,
        own: np.ndarray,
        ranges: bool,
        local: bool,
        gradients: OrientedGradients | None = None,
    ) -> Self:
        """Keep training rows, as many as there is room for.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Scaled training rows, NaN where missing, in random order.
        own : ndarray of shape (n_rows,) of int
            Identity of the rows.
        ranges : bool
            Whether to look at features scaled to equal ranges as well.
        local : bool
            Whether to compare distances with those of the neighbours.
        gradients : OrientedGradients or None, default=None
            What makes features of images.

        Returns
        -------
        Nearest
            The rows.
        """
        n_used = min(len(X), max(_N_REFERENCES, _MOST_CELLS // X.shape[1]))
        X, rows = X[:n_used], np.nan_to_num(X[:n_used])
        if gradients is not None:
            X = rows = gradients(torch.from_numpy(rows)).numpy()
        units = [np.ones(X.shape[1])]
        if ranges:
            units.append(1 / np.square(_ranges(X, _NARROWEST), dtype=np.float64))
        nearest = cls(rows, own[:n_used], np.array(units, dtype=np.float32), None, gradients)
        if local:
            nearest.spacings = nearest._spacings()
        return nearest

    def _spacings(self) -> np.ndarray:
        """Return the mean distances of the rows from the nearest others."""
        x, own = torch.from_numpy(self.rows), torch.from_numpy(self.own)
        squares, _ = self._found(x, None, own, _N_LOCAL)
        spacings = squares.sqrt_().mean(2).numpy()
        least = (_LEAST_SPACING * spacings.mean(axis=1, keepdims=True)).clip(min=SMALL)
        return spacings.clip(min=least)

    def _found(
        self, x: Tensor, observed: Tensor | None, own: Tensor | None, n: int
    ) -> tuple[Tensor, Tensor]:
        """Return the nearest rows in each unit, nearest first.

        Returns
        -------
        squares : Tensor of shape (n_units, n_rows, n_found)
            Squared distances over observed features.
        places : Tensor of shape (n_units, n_rows, n_found)
            Which rows they are from.
        """
        n_cells = len(self.squared_units) * max(len(self.rows), (n + _N_SPARE) * x.shape[1])
        size = max(1, _CELLS_AT_ONCE // n_cells)
        if len(x) <= size:
            return self._nearest(x, observed, own, n)
        parts = []
        for start in range(0, len(x), size):
            chunk = slice(start, start + size)
            seen, selves = (None if each is None else each[chunk] for each in (observed, own))
            parts.append(self._nearest(x[chunk], seen, selves, n))
        squares, places = (torch.cat(each, dim=1) for each in zip(*parts, strict=True))
        return squares, places

    def _nearest(
        self, x: Tensor, observed: Tensor | None, own: Tensor | None, n: int
    ) -> tuple[Tensor, Tensor]:
        """Return what `_found` does, of few rows."""
        units, others = like(self.squared_units, x)[:, None], len(self.rows) - (own is not None)
        scaled, keys = x * units, like(self.keys, x)
        if observed is None:
            marks = like(self.marks, x).expand(-1, len(x), -1)
            distances = torch.cat([scaled, marks], dim=2).flatten(0, 1) @ keys
        else:
            norms = (observed * units).flatten(0, 1) @ like(self.rows, x).square().T
            distances = norms.addmm_(scaled.flatten(0, 1), keys[: x.shape[1]])
        distances = distances.unflatten(0, (len(units), -1))
        if own is not None:
            is_own = own[:, None] == torch.as_tensor(self.own, device=x.device)
            distances.masked_fill_(is_own, math.inf)
        # The rounding of products has a say in which the candidates are, but not in their order.
        places = _smallest(distances, max(1, min(n + _N_SPARE, others)))
        squares = self._squared_differences(x, observed, places).sum(3)
        squares, order = squares.topk(max(1, min(n, others)), largest=False)
        return squares, places.gather(2, order)

    def _squared_differences(self, x: Tensor, observed: Tensor | None, places: Tensor) -> Tensor:
        """Return those of each feature from some rows in each unit."""
        cells = x[:, None] - like(self.rows, x)[places]
        if observed is not None:
            cells *= observed[:, None]
        units = like(self.squared_units, x)[:, None, None]
        return cells.square_().mul_(units).clamp_(max=_LARGEST_SQUARE)

    @property
    def _n_sought(self) -> int:
        return _N_NEAR if self.spacings is None else _N_LOCAL

    def values(
        self, x: Tensor, observed: Tensor | None, own: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Return the mean distances of each unit, and the relative ones.

        With `own`, from rows that are not the row itself.
        """
        if self.gradients is not None:
            x, observed = self.gradients(x), None
        squares, places = self._found(x, observed, own, self._n_sought)
        distances = squares.sqrt_()
        if observed is not None:
            distances *= per_observed(observed).sqrt()[:, None]
        near = distances[:, :, :_N_NEAR].mean(2)
        if self.spacings is None:
            return tuple(near)
        spacings = like(self.spacings, x)[:, None].expand(-1, len(x), -1).gather(2, places)
        return *near, *(distances.mean(2) / spacings.mean(2))

    def cells(self, x: Tensor, observed: Tensor | None) -> tuple[Tensor, ...]:
        """Return the mean squared differences from the nearest rows by features."""
        if self.gradients is None:
            return self._mean_differences(x, observed)
        means = self._mean_differences(self.gradients(x), None)
        return tuple(without_missing(self.gradients.over_pixels(m), observed) for m in means)

    def _mean_differences(self, x: Tensor, observed: Tensor | None) -> tuple[Tensor, ...]:
        _, places = self._found(x, observed, None, self._n_sought)
        cells = self._squared_differences(x, observed, places)
        near = cells[:, :, :_N_NEAR].mean(2)
        return tuple(near) if self.spacings is None else (*near, *cells.mean(2))


def _ranges(X: np.ndarray, narrowest: float) -> np.ndarray:
    """Return the ranges of features, without NaN; 1 for those that do not vary.

    None is narrower than a share of the widest.
    """
    observed = ~np.isnan(X)
    width = X.max(axis=0, where=observed, initial=-np.inf)
    width = width - X.min(axis=0, where=observed, initial=np.inf)
    return np.where(width > 0, width, 1).clip(min=narrowest * width.max(initial=0))


def _smallest(values: Tensor, n: int) -> Tensor:
    """Return where the `n` smallest values are along the last dimension, in any order.

    They are in the `n` blocks of the smallest minima, so few values are left to be sorted.
    """
    n_blocks = values.shape[-1] // _BLOCK
    if n_blocks < 2 * n:
        return values.topk(n, largest=False, sorted=False).indices
    n_whole = n_blocks * _BLOCK
    minima = values[..., :n_whole].unflatten(-1, (_BLOCK, n_blocks)).amin(-2)
    blocks = minima.topk(n, largest=False, sorted=False).indices
    steps = torch.arange(0, n_whole, n_blocks, device=values.device)
    places = (blocks[..., None] + steps).flatten(-2)
    if n_whole < values.shape[-1]:
        rest = torch.arange(n_whole, values.shape[-1], device=values.device)
        places = torch.cat([places, rest.expand(*places.shape[:-1], -1)], dim=-1)
    few = values.gather(-1, places)
    return places.gather(-1, few.topk(n, largest=False, sorted=False).indices)
