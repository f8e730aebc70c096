"""What wide contexts tell coefficients from: features of single channels, here and around."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ._evidence import Log
from ._order import of_images
from ._wide_grid import N_BESIDE, N_NEAREST, Grid, GridPass

# Edges of groups of channels: those whose values around means are linear in, those whose values
# and whose magnitudes are features of scales.
N_SOURCES, N_VALUED, N_TOLD = 22, 17, 36
N_SUMS = 8  # features before those of single channels: one, and sums over groups
LARGEST = 2.0**16 - 1  # magnitude that logarithms tell from larger ones
FARTHEST = 2.0**14  # value that means are linear in
_N_OF_NEIGHBOURS = 5 + N_NEAREST


def n_features(start: int) -> int:
    """Return how many features of squares there are where a group starts."""
    return N_SUMS + 2 * min(start, N_TOLD) + 2 * min(start, N_VALUED)


def n_features_beside(width: int) -> int:
    """Return how many features of neighbours a group of so many channels has."""
    return _N_OF_NEIGHBOURS * width + (width > 1)


class WideEvidence(NamedTuple):
    """What a pass of a group of channels is predicted from.

    Parameters
    ----------
    features : list of Tensors of shape (n, n_images, n_squares)
        What scales are told from: one, and logarithms of whole numbers, of what was coded before,
        and of neighbours, if there are some.
    sources : list of Tensors of shape (n, n_images, n_squares)
        What means are linear in: values of channels before, and of neighbours.
    """

    features: list[Tensor]
    sources: list[Tensor]


class WideKnown:
    """What has become known in the course of a walk; squares are sorted, and come last.

    Parameters
    ----------
    n_images : int
        Number of images.
    grid : Grid
        The squares.
    n_channels : int
        Number of channels.
    features, sources : Tensor
        Of the dtypes, and on the device, that features and sources will have.
    log : callable
        Logarithm of whole numbers.
    """

    def __init__(
        self,
        n_images: int,
        grid: Grid,
        n_channels: int,
        features: Tensor,
        sources: Tensor,
        log: Log,
    ) -> None:
        n, n_squares = n_images, len(grid.squares)
        self._log, self._grid = log, grid
        self._features = features.new_ones(n_features(n_channels), n, n_squares)
        self._sources = sources.new_empty(9 * min(n_channels, N_SOURCES), n, n_squares)
        self._around = of_images(grid.around.view(-1, 9), n, n_squares)
        zeros = features.new_zeros(n, n_squares)
        # Of the groups before the last three, and around, before the last two.
        self._far = self._far_around = zeros
        self._here, self._there = [zeros] * 3, [zeros] * 2
        self._logs = [zeros] * (N_SUMS - 1)
        self._start = 0

    def begin(self, width: int) -> None:
        """Begin with a group of channels."""
        n, n_squares = self._far.shape
        torch.stack(self._logs, out=self._features[1:N_SUMS])
        # What the last square of a grid is followed by stands for no square at all.
        self._magnitudes = self._features.new_zeros(n, n_squares + 1, width)
        self._values = self._sources.new_zeros(n, n_squares + 1, width)

    def inexact(self) -> None:
        """From here on, sources are rounded: they decide on nothing but the picture."""
        self._sources = self._sources.float()

    def evidence(self, now: GridPass) -> WideEvidence:
        """Return what is known before a pass."""
        of_squares = self._features[: n_features(self._start)]
        sources = self._sources[: 9 * min(self._start, N_SOURCES)]
        evidence = WideEvidence([of_squares[..., now.places]], [sources[..., now.places]])
        if now.beside is not None:
            n_nearest = N_NEAREST * len(now.squares)
            values = self._values.index_select(1, now.beside).unflatten(1, (N_BESIDE, -1))
            nearest = self._magnitudes.index_select(1, now.beside[:n_nearest])
            nearest = nearest.unflatten(1, (N_NEAREST, -1))
            logs = self._log(_of_neighbours(nearest, values)).to(of_squares)
            evidence.features.append(logs.movedim(2, 0))
            beside = values.clamp(-FARTHEST, FARTHEST).transpose(1, 2).flatten(2)
            evidence.sources.append(beside.movedim(2, 0))
        return evidence

    def put(self, now: GridPass, integers: Tensor, decoded: Tensor) -> None:
        """Take in what a pass has been coded to, of shape (n_images, n_squares, n_channels)."""
        self._magnitudes[:, now.places] = integers.abs().clamp(max=int(LARGEST)).to(self._features)
        self._values[:, now.places] = decoded.to(self._values)

    def end(self) -> Tensor:
        """End a group, and return what was decoded, of shape (n_images, n_squares, n_channels)."""
        magnitudes, values = self._magnitudes[:, :-1], self._values[:, :-1]
        start, stop = self._start, self._start + values.shape[2]
        sums = magnitudes.sum(-1).clamp(max=LARGEST)
        whole = [sums[..., None]]
        if start < N_TOLD:
            whole.append(magnitudes)
        if start < N_VALUED:
            whole.append(_whole(values.abs()).to(magnitudes))
        numbers = torch.cat(whole, -1)
        nine = F.embedding_bag(self._around, numbers.flatten(0, 1), mode="sum").view_as(numbers)
        around = (nine[..., 0] - sums).clamp(max=LARGEST)
        self._far = (self._far + self._here[2]).clamp(max=LARGEST)
        self._far_around = (self._far_around + self._there[1]).clamp(max=LARGEST)
        self._here, self._there = [sums, *self._here[:2]], [around, self._there[0]]
        new = self._log(torch.stack([sums, self._far, around, self._far_around])).to(sums)
        # The logarithms of the other sums move on.
        self._logs = [new[0], *self._logs[:2], new[1], new[2], self._logs[4], new[3]]
        if start < N_TOLD:
            logs = self._log(torch.cat([numbers[..., 1:], nine[..., 1:]], -1))
            self._features[n_features(start) : n_features(stop)] = logs.movedim(2, 0)
        if start < N_SOURCES:
            near = values.clamp(-FARTHEST, FARTHEST).index_select(1, self._grid.around)
            self._sources[9 * start : 9 * stop] = near.view(*sums.shape, -1).movedim(2, 0)
        self._start = stop
        return values


def _of_neighbours(nearest: Tensor, values: Tensor) -> Tensor:
    """Return whole numbers that tell of neighbours, of shape (n_images, n_squares, n)."""
    total, four = nearest.sum(1), values[:, :N_NEAREST]
    differences = [
        four.amax(1) - four.amin(1),
        (four[:, 0] - four[:, 3]).abs(),
        (four[:, 1] - four[:, 2]).abs(),
        values.amax(1) - values.amin(1),
    ]
    numbers = [total, *nearest.unbind(1), *(_whole(each).to(nearest) for each in differences)]
    if total.shape[-1] > 1:
        numbers.append(total.sum(-1, keepdim=True))
    return torch.cat(numbers, -1)


def _whole(values: Tensor) -> Tensor:
    """Return the nearest whole numbers of values that are not negative."""
    return (values + 0.5).floor().clamp(max=LARGEST)
