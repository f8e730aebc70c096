"""In which order the squares of a grid are coded, and which of them are neighbours."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from ..._settings import default_settings

Offsets = list[tuple[int, int]]

_STRIDES = (8, 4, 2, 1)
_UPRIGHT = [(1, 0), (-1, 0), (0, 1), (0, -1)]
_DIAGONAL = [(a, b) for a in (-1, 1) for b in (-1, 1)]
_OFFSETS = {False: _UPRIGHT, True: _DIAGONAL}
N_BESIDE = 4
N_PASSES_DEEP, N_PASSES_FLAT = 1 + 2 * len(_STRIDES), 2


class Pass(NamedTuple):
    """Squares of a grid that are coded together.

    Parameters
    ----------
    squares : Tensor of int64 of shape (n_squares,)
        Their numbers, row by row.
    places : slice
        Where they stand if all squares are sorted by passes.
    beside : Tensor of int64 of shape (n_squares, 4) or None
        The places of squares around them that are coded before; the number of squares of the
        grid stands for none. None, if there are none at all.
    """

    squares: Tensor
    places: slice
    beside: Tensor | None


class Order(NamedTuple):
    """All passes over a grid.

    Parameters
    ----------
    passes : list of Pass
        One after the other.
    squares : Tensor of int64 of shape (n_squares,)
        The numbers of all squares, sorted by passes.
    around : Tensor of int64 of shape (9 * n_squares,)
        For each of them, in this order, what :func:`around` returns.
    """

    passes: list[Pass]
    squares: Tensor
    around: Tensor

    def of_images(self, n_images: int) -> "Order":
        """Return the order in which `beside` counts on from image to image."""
        n_rows = len(self.squares) + 1
        passes = [
            each._replace(beside=of_images(each.beside, n_images, n_rows))
            if each.beside is not None
            else each
            for each in self.passes
        ]
        return self._replace(passes=passes)


@lru_cache(maxsize=16)
@default_settings()
def deep_order(rows: int, columns: int, device: torch.device) -> Order:
    """Begin with few squares far apart, and halve their distance time and again.

    Parameters
    ----------
    rows, columns : int
        Shape of the grid.
    device : torch.device
        Where to.

    Returns
    -------
    Order
        Of nine passes.
    """
    return lattice_order(rows, columns, device, _STRIDES)


def lattice_order(rows: int, columns: int, device: torch.device, strides: tuple[int, ...]) -> Order:
    """Begin with squares that are twice the first stride apart, and go on with those between.

    Parameters
    ----------
    rows, columns : int
        Shape of the grid.
    device : torch.device
        Where to.
    strides : tuple of int
        Each half of the one before; the last is 1.

    Returns
    -------
    Order
        A first pass, and two for each stride: squares between four on the diagonals, and those
        between four upright.
    """
    kinds = [
        (each.mask, _scaled(_OFFSETS[each.is_diagonal], each.stride) if each.stride else [])
        for each in lattice(rows, columns, strides)
    ]
    return _ordered(kinds, device)


class Lattice(NamedTuple):
    """Squares of a grid between those of a coarser one.

    Parameters
    ----------
    mask : Tensor of bool of shape (rows, columns)
        Which ones.
    stride : int
        How far away those before are; 0 if there are none.
    is_diagonal : bool, default=False
        Whether these stand on the diagonals, or else upright.
    """

    mask: Tensor
    stride: int
    is_diagonal: bool = False


def lattice(rows: int, columns: int, strides: tuple[int, ...]) -> list[Lattice]:
    """Return the passes of :func:`lattice_order`, one after the other.

    Parameters
    ----------
    rows, columns : int
        Shape of the grid.
    strides : tuple of int
        Each half of the one before; the last is 1.

    Returns
    -------
    list of Lattice
        A first one, and two for each stride.
    """
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    widest = 2 * strides[0]
    lattices = [Lattice((i % widest == 0) & (j % widest == 0), 0)]
    for stride in strides:
        a, b = i % (2 * stride), j % (2 * stride)
        lattices.append(Lattice((a == stride) & (b == stride), stride, True))
        lattices.append(Lattice((a + b == stride) & (a * b == 0), stride))
    return lattices


@lru_cache(maxsize=16)
@default_settings()
def flat_order(rows: int, columns: int, device: torch.device) -> Order:
    """Begin with half of the squares, as those of one color of a chessboard.

    Parameters
    ----------
    rows, columns : int
        Shape of the grid.
    device : torch.device
        Where to.

    Returns
    -------
    Order
        Of two passes.
    """
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return _ordered([((i + j) % 2 == 0, []), ((i + j) % 2 == 1, _UPRIGHT)], device)


def _ordered(kinds: list[tuple[Tensor, Offsets]], device: torch.device) -> Order:
    """Return passes over the squares of masks, whose neighbours are at offsets."""
    rows, columns = kinds[0][0].shape
    places = torch.full((rows * columns + 1,), rows * columns)
    passes: list[Pass] = []
    start = 0
    for mask, offsets in kinds:
        squares = mask.flatten().nonzero().flatten()
        stop = start + len(squares)
        places[squares] = torch.arange(start, stop)
        beside = None
        if offsets:
            beside = places[neighbours(squares, offsets, rows, columns)].to(device)
        passes.append(Pass(squares.to(device), slice(start, stop), beside))
        start = stop
    squares = torch.cat([each.squares for each in passes])
    return Order(passes, squares, around(rows, columns, device)[squares].flatten())


def neighbours(squares: Tensor, offsets: Offsets, rows: int, columns: int) -> Tensor:
    """Number what stands at each offset, or else opposite, or else nothing.

    Parameters
    ----------
    squares : Tensor of int64 of shape (n_squares,)
        Numbers of squares.
    offsets : list of tuples of two ints
        How far down, and how far right.
    rows, columns : int
        Shape of the grid.

    Returns
    -------
    Tensor of int64 of shape (n_squares, n_offsets)
        Their numbers, and that of all squares for nothing.
    """
    y, x = squares // columns, squares % columns
    numbers = []
    for down, right in offsets:
        number = torch.full_like(squares, rows * columns)
        for sign in (-1, 1):
            a, b = y + sign * down, x + sign * right
            exists = (a >= 0) & (a < rows) & (b >= 0) & (b < columns)
            number = torch.where(exists, a * columns + b, number)
        numbers.append(number)
    return torch.stack(numbers, 1)


def _scaled(offsets: Offsets, stride: int) -> Offsets:
    return [(stride * a, stride * b) for a, b in offsets]


@lru_cache(maxsize=16)
@default_settings()
def around(rows: int, columns: int, device: torch.device) -> Tensor:
    """Return the numbers of the squares around each square of a grid, and of itself.

    Parameters
    ----------
    rows, columns : int
        Its shape.
    device : torch.device
        Where to.

    Returns
    -------
    Tensor of int64 of shape (n_squares, 9)
        The square itself is in the middle; beyond the margin there is the margin again.
    """
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    numbers = [
        (i + a).clamp(0, rows - 1) * columns + (j + b).clamp(0, columns - 1)
        for a in (-1, 0, 1)
        for b in (-1, 0, 1)
    ]
    return torch.stack(numbers, -1).flatten(0, 1).to(device)


def of_images(numbers: Tensor, n_images: int, n_rows: int) -> Tensor:
    """Return the numbers of rows of one image for all images, whose rows follow each other."""
    if n_images == 1:
        return numbers
    first = n_rows * torch.arange(n_images, device=numbers.device)
    return (numbers + first[:, None, None]).flatten(0, 1)
