"""Means and tables of coefficients, told from single channels and wide neighbourhoods."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ._base_contexts import Code, Contexts
from ._code_length import MOST_ROWS_OF_TABLES, Slopes, table_regression
from ._contexts import EDGES
from ._evidence import Log
from ._law import N_TABLES, TABLE_SPACING, Law
from ._quantizer import interpolated
from ._regression import LOG_SCALES, MOST_ROWS_OF_MEANS, linear_regression, some_rows
from ._wide_evidence import (
    LARGEST,
    N_SOURCES,
    WideEvidence,
    WideKnown,
    n_features,
    n_features_beside,
)
from ._wide_grid import N_BESIDE, STRIDES, wide_grid

_N_DEEP, _N_FLAT, _N_PREDICTED = 3, 22, 80  # edges of groups
MEAN_UNIT = 2.0**-12  # of whole weights of means
_LARGEST_MEAN_WEIGHT = 2.0**7
SCALE_UNIT = 2.0**-10
_EXACT_IN_FLOAT32 = 2.0**24
_SQUARES_TOGETHER = 2**15  # in a fit: what all together need beside their evidence is large


class Part(NamedTuple):
    """A pass over a group of channels.

    Parameters
    ----------
    channels : slice
        Which ones.
    scales, means : slice
        Where their weights stand among all.
    """

    channels: slice
    scales: slice
    means: slice

    @property
    def width(self) -> int:
        """The number of channels."""
        return self.channels.stop - self.channels.start


class Step(NamedTuple):
    """What is known in a walk before a pass.

    Parameters
    ----------
    part : Part
        The pass, over a group of channels.
    squares : Tensor of int64
        The numbers of its squares.
    evidence : WideEvidence
        What these are predicted from.
    """

    part: Part
    squares: Tensor
    evidence: WideEvidence


class WideGroup(NamedTuple):
    """Channels that are coded together.

    Parameters
    ----------
    order : {"deep", "flat", "whole"}
        The passes over squares.
    parts : list of Part
        One for each of them.
    """

    order: str
    parts: list[Part]


def whole_eighths(numbers: Tensor) -> Tensor:
    """Return whole eighths of octaves, but for rounding errors.

    Parameters
    ----------
    numbers : Tensor
        Whole numbers.

    Returns
    -------
    Tensor
        ``floor(8 * log2(1 + numbers))``, for numbers up to 65,535.
    """
    return (8 * torch.log2(1 + numbers.clamp(max=LARGEST)) + 1e-3).floor()


class WideContexts(Contexts):
    """Predict means and tables of coefficients from single channels, here and far around.

    Coefficients stand on a grid, in channels of falling variance. They are coded by groups of
    channels (Minnen & Singh, ICIP 2020): the first three in seven passes over the squares, from
    coarse to fine, those to 22 in two, as the squares of a chessboard (He et al., CVPR 2021), and
    the rest in one. The mean is linear in decoded values of channels before, and of twelve
    neighbours of passes before. The index of the table is linear in whole logarithms of magnitudes
    and of values of single channels before, here and of the nine squares around, and of neighbours.
    Means are fitted by ridge regression, indices by the length of the code.

    Decoded values of the first 22 channels decide on tables: they are multiples of 1/64, and their
    means linear in them with whole weights, so that sums in floating point are exact. So are those
    of indices.

    Parameters
    ----------
    n_components : int
        Number of channels.
    n_levels : int
        Number of levels, between which the weights are interpolated.
    """

    scales: Tensor
    means: Tensor
    unit = 1 / 64

    def __init__(self, n_components: int, n_levels: int) -> None:
        super().__init__()
        inner = [edge for edge in EDGES if edge < n_components]
        self.groups = list(zip(inner, [*inner[1:], n_components], strict=True))
        self._plan: list[WideGroup] = []
        n_scales = n_means = 0
        for a, b in self.groups:
            order = "deep" if a < _N_DEEP else "flat" if a < _N_FLAT else "whole"
            n_passes = {"deep": 1 + 2 * len(STRIDES), "flat": 2, "whole": 1}[order]
            parts = []
            for i in range(n_passes):
                has_beside, width = i > 0, b - a
                of_scales = n_features(a) + has_beside * n_features_beside(width)
                of_means = 9 * min(a, N_SOURCES) + has_beside * N_BESIDE * width
                of_means *= a < _N_PREDICTED
                starts, n_scales = n_scales, n_scales + width * of_scales
                startm, n_means = n_means, n_means + width * of_means
                parts.append(Part(slice(a, b), slice(starts, n_scales), slice(startm, n_means)))
            self._plan.append(WideGroup(order, parts))
        self.register_buffer("scales", torch.zeros(n_levels, n_scales))
        self.register_buffer("means", torch.zeros(n_levels, n_means))

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """Those of indices of tables, and of means, of all levels."""
        return self.scales, self.means

    def table_weights(self) -> Tensor:
        return self.scales.detach().double().cpu()

    def between(self, scales: Tensor, level: float) -> tuple[Tensor, ...]:
        """Return all weights between two levels, as whole numbers of small units.

        Parameters
        ----------
        scales : Tensor of float64
            Those of indices of tables, between the levels already.
        level : float
            Where.

        Returns
        -------
        tuple of Tensors
            What :meth:`walk` takes. Those of indices are of float32, if that sums them exactly.
        """
        scales = (scales / SCALE_UNIT + 0.5).floor() * SCALE_UNIT
        # All partial sums of features below 128 are whole numbers of this unit.
        largest = max(
            float(scales[part.scales].unflatten(0, (-1, part.width)).abs().sum(0).max())
            for group in self._plan
            for part in group.parts
        )
        if 128 * largest < _EXACT_IN_FLOAT32 * SCALE_UNIT:
            scales = scales.float()
        most = _LARGEST_MEAN_WEIGHT
        means = (self.means.double() / MEAN_UNIT).round() * MEAN_UNIT
        return scales, interpolated(means.clamp(-most, most), level)

    def scale(self, log_scale: Tensor) -> Tensor:
        return (LOG_SCALES[0] + TABLE_SPACING * (log_scale - 0.5)).clamp(*LOG_SCALES).exp()

    def walk(
        self,
        shape: Sequence[int],
        weights: Sequence[Tensor],
        code: Code,
        log: Log = whole_eighths,
        n_groups: int | None = None,
    ) -> Tensor:
        """Visit all coefficients in the order of coding.

        Parameters
        ----------
        shape : sequence of four ints
            Numbers of images, rows, columns and channels.
        weights : sequence of Tensors
            Those of :attr:`weights`, of one level.
        code : callable
            Is given the channels as a slice, the numbers of the squares, and for these the means
            and the indices of tables, not rounded, of shape (n_images, n_squares, n_channels);
            returns the integers there and what they are decoded to.
        log : callable
            Logarithm of whole numbers.
        n_groups : int or None, default=None
            How many groups to visit; None for all.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_channels)
            What all coefficients are decoded to; zero in groups that were not visited.
        """
        n, rows, columns, n_channels = shape
        found = weights[0].new_zeros(n, rows * columns, n_channels, dtype=torch.float32)

        def keep(channels: slice, values: Tensor) -> None:
            found[..., channels] = values

        for _ in self._steps(shape, weights, code, keep, log, n_groups):
            pass
        decoded = torch.empty_like(found)
        decoded[:, wide_grid(rows, columns, found.device).squares] = found
        return decoded.unflatten(1, (rows, columns))

    def _steps(
        self,
        shape: Sequence[int],
        weights: Sequence[Tensor],
        code: Code,
        keep: Callable[[slice, Tensor], None] | None = None,
        log: Log = whole_eighths,
        n_groups: int | None = None,
    ) -> Iterator[Step]:
        """Walk, and stop before each pass."""
        n, rows, columns, n_channels = shape
        scales, means = weights
        grid = wide_grid(rows, columns, means.device)
        known = WideKnown(n, grid, n_channels, scales, means, log)
        for group in self._plan[:n_groups]:
            channels, width = group.parts[0].channels, group.parts[0].width
            if channels.start == N_SOURCES:
                known.inexact()
                means = means.float()
            known.begin(width)
            for part, now in zip(group.parts, getattr(grid, group.order), strict=True):
                if not len(now.squares):
                    continue
                evidence = known.evidence(now)
                yield Step(part, now.squares, evidence)
                if channels.start < _N_PREDICTED:
                    mean = _linear(evidence.sources, means[part.means].view(-1, width))
                    if channels.start < N_SOURCES:
                        mean = (mean / self.unit).floor() * self.unit
                else:
                    mean = means.new_zeros(1).expand(n, len(now.squares), width)
                index = _linear(evidence.features, scales[part.scales].view(-1, width))
                known.put(now, *code(channels, now.squares, mean, index))
            values = known.end()
            if keep is not None:
                keep(channels, values)

    @torch.no_grad()
    def fit(self, level: int, y: Tensor, law: Law | None = None) -> None:
        law = Law.laplace(self.unit) if law is None else law
        weights, slopes = [w[level] for w in self.weights], Slopes(law)
        chunks = y.flatten(1, 2).split(max(1, _SQUARES_TOGETHER // y[0, ..., 0].numel()))

        def coder(chunk: Tensor) -> Code:
            def code(channels: slice, squares: Tensor, mean: Tensor, index: Tensor) -> tuple:
                which = index.clamp(0, N_TABLES - 1).int()
                integers = law.rounded(chunk[:, squares, channels] - mean, which)
                return integers, mean + law.values(integers, which)

            return code

        # All wait before a pass until it is fitted to rows of each.
        walks = [self._steps((len(c), *y.shape[1:]), weights, coder(c)) for c in chunks]
        products: dict[int, Tensor] = {}  # of sources, which later groups share
        for steps in zip(*walks, strict=True):
            part, squares, _ = steps[0]
            n = len(y) * len(squares)
            targets = [[chunk[:, squares, part.channels].movedim(2, 0)] for chunk in chunks]
            features, sources = zip(*(step.evidence for step in steps), strict=True)
            rows = some_rows(n, MOST_ROWS_OF_TABLES)
            residuals = _rows_of(targets, rows)
            if part.means.start < part.means.stop:
                some = some_rows(n, MOST_ROWS_OF_MEANS)
                X = _rows_of(sources, some)
                known = products.get(X.shape[1]) if n == y[..., 0].numel() else None
                w, gram = linear_regression(X, _rows_of(targets, some), known)
                products[X.shape[1]] = gram
                self.means[level, part.means] = w.flatten().to(self.means)
                residuals = residuals - _rows_of(sources, rows) @ w.to(X)
            w = table_regression(_rows_of(features, rows), residuals, slopes)
            self.scales[level, part.scales] = w.flatten().to(self.scales)


def _linear(parts: list[Tensor], weights: Tensor) -> Tensor:
    """Return products of rows that stand in several tables, of shape (..., n_channels)."""
    some = weights.split([len(each) for each in parts])
    total = some[0].T @ parts[0].flatten(1)
    if len(parts) > 1:
        total = total + some[1].T @ parts[1].flatten(1)
    return total.T.contiguous().unflatten(0, parts[0].shape[1:])


def _rows_of(chunks: Sequence[Sequence[Tensor]], rows: Tensor) -> Tensor:
    """Return some rows of tables whose columns, and then whose images, stand apart."""
    found, start = [], 0
    for parts in chunks:
        n, n_squares = parts[0].shape[1:]
        some = rows[(rows >= start) & (rows < start + n * n_squares)] - start
        found.append(torch.cat([part[:, some // n_squares, some % n_squares] for part in parts]).T)
        start += n * n_squares
    return torch.cat(found)
