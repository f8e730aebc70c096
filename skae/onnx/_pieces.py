"""Functions of one column that are lines between breaks, for all columns of a table at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn
from torch.nn import functional as F

from ..tables._normal_scores import NormalScores


class Pieces(NamedTuple):
    """A function of one number: piece i begins at break i - 1, and is a line.

    Attributes
    ----------
    breaks : ndarray of shape (n_pieces - 1,)
        In ascending order; each belongs to the piece that it begins.
    x, y, slope : ndarray of shape (n_pieces,)
        A point of each line, and its slope.
    """

    breaks: np.ndarray
    x: np.ndarray
    y: np.ndarray
    slope: np.ndarray


class PiecewiseLinear(nn.Module):
    """Such functions, one for each column, found by an unrolled binary search.

    Parameters
    ----------
    columns : sequence of Pieces
        One for each column.
    """

    breaks: Tensor
    x: Tensor
    y: Tensor
    slope: Tensor
    starts: Tensor

    def __init__(self, columns: Sequence[Pieces]) -> None:
        super().__init__()
        self.n_bits = max(len(pieces.breaks) for pieces in columns).bit_length()
        width = 2**self.n_bits
        breaks = np.full((len(columns), width), np.inf)
        for row, pieces in zip(breaks, columns, strict=True):
            row[: len(pieces.breaks)] = pieces.breaks
        self.register_buffer("breaks", torch.from_numpy(breaks.ravel()))
        for name in ("x", "y", "slope"):
            given = [getattr(pieces, name) for pieces in columns]
            table = [np.pad(each, (0, width - len(each)), "edge") for each in given]
            self.register_buffer(name, torch.from_numpy(np.concatenate(table).astype(np.float64)))
        self.register_buffer("starts", torch.arange(len(columns)) * width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the values at `x`, of shape (n_rows, n_columns) and float64."""
        place = self.starts.expand_as(x)
        for step in (2**i for i in reversed(range(self.n_bits))):
            has_passed = taken(self.breaks, place + (step - 1)) <= x
            place = place + has_passed.long() * step
        return taken(self.y, place) + taken(self.slope, place) * (x - taken(self.x, place))


def taken(table: Tensor, places: Tensor) -> Tensor:
    """Return ``table[places]`` by ONNX's `Gather`, which is quicker than its `GatherND`.

    Parameters
    ----------
    table : Tensor of shape (n,)
        Numbers.
    places : Tensor of int64
        Where to look.

    Returns
    -------
    Tensor
        Of the shape of `places`.
    """
    return F.embedding(places, table.unsqueeze(1)).squeeze(-1)


def scores_of(column: NormalScores) -> Pieces:
    """Return `NormalScores.forward`, in the middle of the intervals of frequent values.

    Parameters
    ----------
    column : NormalScores
        The column.

    Returns
    -------
    Pieces
        From values to scores.
    """
    if column.is_normal:
        return Pieces(np.empty(0), *np.array([[column.mean], [0.0], [column.slope]]))
    inside = ndtri(column.starts + 0.5 * (column.stops - column.starts))
    if column.seen is not None:
        zeros = np.zeros(len(inside))
        return Pieces(_halfway(column.atoms), zeros, inside, zeros)
    breaks, (x, y, slope) = (
        column.knots.astype(np.float64),
        _lines(column.knots, column.knot_scores, column.tails),
    )
    # A frequent value is two knots: one number, that has a piece of its own.
    own = np.searchsorted(column.knots, column.atoms) + 1
    breaks[own] = np.nextafter(breaks[own], np.inf)
    y[own], slope[own] = inside, 0.0
    return Pieces(breaks, x, y, slope)


def values_of(column: NormalScores) -> Pieces:
    """Return `NormalScores.inverse`, but for its limits.

    Parameters
    ----------
    column : NormalScores
        The column.

    Returns
    -------
    Pieces
        From scores to values.
    """
    if column.seen is not None:
        zeros = np.zeros(len(column.atoms))
        ends = np.nextafter(ndtri(column.stops[:-1]), np.inf)
        return Pieces(ends, zeros, column.atoms.astype(np.float64), zeros)
    if column.is_normal:
        return Pieces(np.empty(0), *np.array([[0.0], [column.mean], [1 / column.slope]]))
    lines = _lines(column.knot_scores, column.knots, np.zeros(2))
    return Pieces(column.knot_scores, *lines)


def _lines(x: np.ndarray, y: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """Return points and slopes of the lines between points, and beyond them."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    width = np.diff(x)
    slope = np.diff(y) / np.where(width > 0, width, 1)
    slopes = np.concatenate([tails[:1], slope, tails[1:]])
    return np.stack([np.r_[x[0], x], np.r_[y[0], y], slopes])


def _halfway(values: np.ndarray) -> np.ndarray:
    """Return the least numbers that are nearer to the upper one of neighbouring values."""
    values = values.astype(np.float64)
    low, high = values[:-1], values[1:]
    x = low / 2 + high / 2
    while (is_upper := x - low > high - x).any():
        x = np.where(is_upper, np.nextafter(x, -np.inf), x)
    while (is_lower := x - low <= high - x).any():
        x = np.where(is_lower, np.nextafter(x, np.inf), x)
    return x
