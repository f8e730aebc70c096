"""The passes of wide contexts over a grid, whose squares are sorted as those of a chessboard."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from ..._settings import default_settings
from ._order import Offsets, around, lattice, neighbours

STRIDES = (4, 2, 1)
N_BESIDE, N_NEAREST = 12, 4
# The nearest first; the first and the fourth, and the second and the third, are opposite.
_UPRIGHT: Offsets = [(-1, 0), (0, -1), (0, 1), (1, 0)]
_UPRIGHT += [(a, b) for a in (-2, -1, 1, 2) for b in (-2, -1, 1, 2) if abs(a) != abs(b)]
_DIAGONAL: Offsets = [(a, b) for a in (-1, 1) for b in (-1, 1)]
_DIAGONAL += [(a, b) for a in (-3, -1, 1, 3) for b in (-3, -1, 1, 3) if abs(a) != abs(b)]
_OFFSETS = {False: _UPRIGHT, True: _DIAGONAL}


class GridPass(NamedTuple):
    """Squares of a grid that are coded together.

    Parameters
    ----------
    squares : Tensor of int64 of shape (n_squares,)
        Their numbers in the grid, row by row.
    places : Tensor of int64 of shape (n_squares,) or slice
        Where they stand among the sorted squares.
    beside : Tensor of int64 of shape (12 * n_squares,) or None
        The places of squares around them that are coded before, first of all squares the nearest;
        the number of squares of the grid stands for none. None, if there are none at all.
    """

    squares: Tensor
    places: Tensor | slice
    beside: Tensor | None


class Grid(NamedTuple):
    """All passes over a grid.

    Parameters
    ----------
    deep : list of GridPass
        From coarse to fine, seven.
    flat : list of GridPass
        The two colors of a chessboard.
    whole : list of GridPass
        One.
    squares : Tensor of int64 of shape (n_squares,)
        The numbers of all squares, sorted: those of the first color come first.
    around : Tensor of int64 of shape (9 * n_squares,)
        For each of them, the places of the squares around and, in the middle, its own.
    """

    deep: list[GridPass]
    flat: list[GridPass]
    whole: list[GridPass]
    squares: Tensor
    around: Tensor


@lru_cache(maxsize=16)
@default_settings()
def wide_grid(rows: int, columns: int, device: torch.device) -> Grid:
    """Return the passes over a grid.

    Parameters
    ----------
    rows, columns : int
        Shape of the grid.
    device : torch.device
        Where to.

    Returns
    -------
    Grid
        The passes, without those that have no squares.
    """
    n = rows * columns
    is_first = (torch.arange(rows)[:, None] + torch.arange(columns)) % 2 == 0
    squares = torch.cat([part.flatten().nonzero().flatten() for part in (is_first, ~is_first)])
    places = torch.full((n + 1,), n)
    places[squares] = torch.arange(n)

    def beside(squares: Tensor, stride: int, is_diagonal: bool) -> Tensor:
        offsets = [(stride * a, stride * b) for a, b in _OFFSETS[is_diagonal]]
        return places[neighbours(squares, offsets, rows, columns)].T.flatten().to(device)

    deep: list[GridPass] = []
    for each in lattice(rows, columns, STRIDES):
        some = each.mask.flatten().nonzero().flatten()
        known = beside(some, each.stride, each.is_diagonal) if each.stride else None
        deep.append(GridPass(some.to(device), places[some].to(device), known))
    n_first = int(is_first.sum())
    first, second = squares[:n_first], squares[n_first:]
    flat = [
        GridPass(first.to(device), slice(0, n_first), None),
        GridPass(second.to(device), slice(n_first, n), beside(second, 1, False)),
    ]
    whole = [GridPass(squares.to(device), slice(0, n), None)]
    nine = places[around(rows, columns, torch.device("cpu"))[squares]].flatten()
    return Grid(deep, flat, whole, squares.to(device), nine.to(device))
