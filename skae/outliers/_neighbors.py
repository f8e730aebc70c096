"""How far a row's neighbours are, in small samples of training rows and in all of them."""

import math
from collections.abc import Iterator
from dataclasses import field
from typing import Self

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from .._shapes import ImageShape
from ._views import SMALL, SMALLEST_WIDTH, like, per_observed

_N_SAMPLES = 20
_N_REFERENCES = 640
_N_NEAR, _N_LOCAL = 5, 10
_MOST_CELLS = 2**23  # of reference rows
_NARROWEST = 1e-3  # range of a feature, relative to the widest
_LEAST_SPACING = 1e-2  # relative to the mean
_LARGEST_SQUARE = 1e30
_WIDTHS_PER_SIDE = 28  # standard deviations of the blur
_CHUNK = 256  # rows whose neighbours are sought at once


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

    def __post_init__(self) -> None:
        self.squares = np.square(self.rows)

    @classmethod
    def of(cls, X: np.ndarray, own: np.ndarray) -> Self:
        """Take samples of training rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Scaled training rows without NaN, in random order.
        own : ndarray of shape (n_rows,) of int
            Identity of the rows.

        Returns
        -------
        Samples
            The samples.
        """
        width = X.max(axis=0) - X.min(axis=0)
        width = np.where(width > 0, width, 1).clip(min=SMALLEST_WIDTH)
        per_unit = (1 / width).astype(np.float32)
        size = max(1, min(_N_REFERENCES, len(X)) // _N_SAMPLES)
        n_used = min(len(X), size * _N_SAMPLES)
        return cls(per_unit, X[:n_used] * per_unit, own[:n_used], size)

    def _distances(self, x: Tensor, observed: Tensor, own: Tensor | None = None) -> Tensor:
        """Return squared distances from the rows of each sample, over observed features."""
        rows, squares = like(self.rows, x), like(self.squares, x)
        norms = squares.sum(1) if observed.all() else observed.to(x.dtype) @ squares.T
        distances = torch.addmm(norms, x, rows.T, alpha=-2) + x.square().sum(1, keepdim=True)
        distances = distances.view(len(x), -1, self.size)
        if own is not None and len(rows) > self.size:
            is_own = own[:, None] == torch.as_tensor(self.own, device=x.device)
            is_there = is_own.view(len(x), -1, self.size).any(2)
            distances = distances.masked_fill(is_there[:, :, None], math.inf)
        return distances

    def values(self, x: Tensor, observed: Tensor, own: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the mean distance from the nearest rows.

        With `own`, over the samples that do not hold the row itself.
        """
        nearest = self._distances(x * like(self.per_unit, x), observed, own).amin(2)
        finite = nearest.isfinite()
        distances = nearest.clamp_(min=0).sqrt_().masked_fill_(~finite, 0)
        mean = distances.sum(1) / finite.sum(1).clamp(min=1)
        return (mean * per_observed(observed).sqrt(),)

    def cells(self, x: Tensor, observed: Tensor) -> tuple[Tensor, ...]:
        """Return the mean squared distance by features."""
        x = x * like(self.per_unit, x)
        place = self._distances(x, observed).argmin(2)
        place = place + torch.arange(place.shape[1], device=x.device) * self.size
        return ((x[:, None] - like(self.rows, x)[place]).square().mean(1) * observed,)


@registered
class Nearest:
    """Distances from the nearest of many training rows, in one or two units.

    The mean distance from the five nearest (Ramaswamy, Rastogi & Shim, SIGMOD 2000) and, if
    wanted, that from the ten nearest relative to their own (as in LOF, Breunig et al., SIGMOD
    2000).

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Training rows; images slightly blurred, so that small shifts count less.
    own : ndarray of shape (n_rows,) of int
        Identity of the rows, to leave out themselves.
    squared_units : ndarray of shape (n_units, n_features)
        What squared differences are multiplied by: one, and in the second unit the squares of
        what makes all ranges equal.
    spacings : ndarray of shape (n_units, n_rows) or None
        Mean distances of the rows from the ten nearest others.
    blurs : tuple of ndarray of shape (side, side)
        For images, what is multiplied along each of their axes.
    """

    rows: np.ndarray
    own: np.ndarray
    squared_units: np.ndarray
    spacings: np.ndarray | None = None
    blurs: tuple[np.ndarray, ...] = ()
    squares: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.squares = np.square(self.rows)

    @classmethod
    def of(
        cls,
        X: np.ndarray,
        own: np.ndarray,
        ranges: bool,
        local: bool,
        image_shape: ImageShape | None = None,
    ) -> Self:
        """Keep training rows, as many as there is room for.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Scaled training rows without NaN, in random order.
        own : ndarray of shape (n_rows,) of int
            Identity of the rows.
        ranges : bool
            Whether to look at features scaled to equal ranges as well.
        local : bool
            Whether to compare distances with those of the neighbours.
        image_shape : ImageShape or None, default=None
            That of images to blur.

        Returns
        -------
        Nearest
            The rows.
        """
        n_used = min(len(X), max(_N_REFERENCES, _MOST_CELLS // X.shape[1]))
        X = X[:n_used]
        units = [np.ones(X.shape[1])]
        if ranges:
            width = X.max(axis=0) - X.min(axis=0)
            width = np.where(width > 0, width, 1).clip(min=_NARROWEST * (width.max() or 1.0))
            units.append(1 / np.square(width, dtype=np.float64))
        blurs = () if image_shape is None else tuple(_blurs(image_shape))
        x = torch.from_numpy(X)
        rows = _blurred(x, blurs).numpy()
        nearest = cls(rows, own[:n_used], np.array(units, dtype=np.float32), None, blurs)
        if local:
            nearest.spacings = nearest._spacings(x)
        return nearest

    def _spacings(self, x: Tensor) -> np.ndarray:
        """Return the mean distances of the rows, which are given unblurred, from the others."""
        each = (x, torch.ones_like(x, dtype=torch.bool), torch.from_numpy(self.own))
        chunks = zip(*(a.split(_CHUNK) for a in each), strict=True)
        distances = [
            torch.stack([cells.sum(2).sqrt().mean(1) for cells, _ in self._found(*chunk)])
            for chunk in chunks
        ]
        spacings = torch.cat(distances, dim=1).numpy()
        least = (_LEAST_SPACING * spacings.mean(axis=1, keepdims=True)).clip(min=SMALL)
        return spacings.clip(min=least)

    def _found(
        self, x: Tensor, observed: Tensor, own: Tensor | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield squared differences from the nearest rows by features, and which they are."""
        x = _blurred(x, self.blurs)
        rows, squares = like(self.rows, x), like(self.squares, x)
        n_found = max(1, min(_N_LOCAL, len(rows) - (own is not None)))
        for units in like(self.squared_units, x):
            norms = squares @ units if observed.all() else (observed * units) @ squares.T
            distances = torch.addmm(norms, x * units, rows.T, alpha=-2)
            if own is not None:
                is_own = own[:, None] == torch.as_tensor(self.own, device=x.device)
                distances = distances.masked_fill(is_own, math.inf)
            places = distances.topk(n_found, largest=False).indices
            differences = (x[:, None] - rows[places]) * observed[:, None]
            yield (differences.square() * units).clamp(max=_LARGEST_SQUARE), places

    def values(self, x: Tensor, observed: Tensor, own: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the mean distances of each unit, and the relative ones.

        With `own`, from rows that are not the row itself.
        """
        factor = per_observed(observed).sqrt()
        near, local = [], []
        for unit, (cells, places) in enumerate(self._found(x, observed, own)):
            distances = cells.sum(2).sqrt() * factor[:, None]
            near.append(distances[:, :_N_NEAR].mean(1))
            if self.spacings is not None:
                local.append(distances.mean(1) / like(self.spacings[unit], x)[places].mean(1))
        return *near, *local

    def cells(self, x: Tensor, observed: Tensor) -> tuple[Tensor, ...]:
        """Return the mean squared differences from the nearest rows by features."""
        near, local = [], []
        for cells, _ in self._found(x, observed):
            near.append(cells[:, :_N_NEAR].mean(1))
            local.append(cells.mean(1))
        return (*near, *local) if self.spacings is not None else tuple(near)


def _blurs(shape: ImageShape) -> Iterator[np.ndarray]:
    """Yield what blurs images along each axis of their layout: a twenty-eighth of both sides."""
    channels_axis = 2 if shape.channels_last else 0
    for axis, side in enumerate(shape.layout):
        places = np.arange(side) * _WIDTHS_PER_SIDE / side
        weights = np.exp(-np.square(places[:, None] - places) / 2)
        blur = np.eye(side) if axis == channels_axis else weights / weights.sum(1, keepdims=True)
        yield blur.astype(np.float32)


def _blurred(x: Tensor, blurs: tuple[np.ndarray, ...]) -> Tensor:
    """Return flattened images, blurred along each axis."""
    if not blurs:
        return x
    images = x.view(-1, *(len(blur) for blur in blurs))
    for blur in blurs:  # each time, the first axis after the rows becomes the last one
        images = torch.tensordot(images, like(blur, x), dims=([1], [1]))
    return images.reshape(x.shape)
