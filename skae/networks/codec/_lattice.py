"""In which order the places of a spectrogram are coded, and which others are known by then."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from ..._settings import default_settings
from ._order import Pass, lattice_order

_STRIDES = (2, 1)
N_PASSES = 1 + 2 * len(_STRIDES)


class LatticePass(NamedTuple):
    """Places that are coded together.

    Parameters
    ----------
    places : Tensor of int64 of shape (n_places,)
        Their numbers, frame by frame.
    bins : Tensor of int64 of shape (n_places,)
        In which column each lies.
    beside : tuple of Tensors of int64 of shape (n_places, n)
        Numbers of known places: of all four neighbours of a diagonal pass, or first of those before
        and behind, and then of those above and below. The number of places of the grid stands for
        none.
    corners : tuple of Tensors of int64 of shape (4, n_places)
        Where sums of boxes around each place are found in a summed-area table.
    """

    places: Tensor
    bins: Tensor
    beside: tuple[Tensor, ...]
    corners: tuple[Tensor, ...]


@lru_cache(maxsize=64)
@default_settings()
def lattice(n_rows: int, n_columns: int) -> list[LatticePass]:
    """Return five passes over a grid: a sixteenth of it, and twice what lies between.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of the grid.

    Returns
    -------
    list of LatticePass
        One after the other; some may be empty.
    """
    order = lattice_order(n_rows, n_columns, torch.device("cpu"), _STRIDES)
    strides = [None, *(stride for stride in _STRIDES for _ in range(2))]
    sides = torch.cat([order.squares, torch.tensor([n_rows * n_columns])])
    passes = []
    for i, (each, stride) in enumerate(zip(order.passes, strides, strict=True)):
        beside: tuple[Tensor, ...] = ()
        boxes: list[tuple[int, int]] = []
        if stride is not None:
            is_diagonal = i % 2 == 1
            numbers = sides[each.beside]
            beside = (numbers,) if is_diagonal else (numbers[:, :2], numbers[:, 2:])
            boxes = [(3, 3)] if is_diagonal else [(1, 1), (2, 3)]
            boxes = [(stride * a, stride * b) for a, b in boxes]
        corners = tuple(_corners(each, n_rows, n_columns, box) for box in boxes)
        passes.append(LatticePass(each.squares, each.squares % n_columns, beside, corners))
    return passes


@lru_cache(maxsize=16)
@default_settings()
def around(n_rows: int, n_columns: int) -> Tensor:
    """Return the corners of boxes of nine places around all places of a grid."""
    squares = torch.arange(n_rows * n_columns)
    return _corners(Pass(squares, slice(None), None), n_rows, n_columns, (1, 1))


def _corners(now: Pass, n_rows: int, n_columns: int, box: tuple[int, int]) -> Tensor:
    """Return where a table of sums from the first row and column on is looked at."""
    i, j = now.squares // n_columns, now.squares % n_columns
    top, bottom = (i - box[0]).clamp(min=0), (i + box[0] + 1).clamp(max=n_rows)
    left, right = (j - box[1]).clamp(min=0), (j + box[1] + 1).clamp(max=n_columns)
    width = n_columns + 1
    return torch.stack(
        [bottom * width + right, top * width + left, top * width + right, bottom * width + left]
    )


def summed_area(magnitudes: Tensor) -> Tensor:
    """Return sums from the first row and column on.

    Parameters
    ----------
    magnitudes : Tensor of shape (n, n_rows, n_columns)
        Whole numbers, in a dtype that holds their sums.

    Returns
    -------
    Tensor of shape (n, (n_rows + 1) * (n_columns + 1))
        Those of all rows and columns before each one.
    """
    sums = magnitudes.new_zeros(len(magnitudes), magnitudes.shape[1] + 1, magnitudes.shape[2] + 1)
    sums[:, 1:, 1:] = magnitudes.cumsum(1).cumsum(2)
    return sums.flatten(1)


def box_sums(table: Tensor, corners: Tensor) -> Tensor:
    """Return sums of boxes, of shape (n, n_places), from a summed-area table."""
    first, second, third, fourth = (table.index_select(1, each) for each in corners)
    return first.add_(second).sub_(third).sub_(fourth)
