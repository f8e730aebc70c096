"""Kernel machines, one for each column of a table: what the normal distribution leaves of it."""

import itertools
import math
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from .._plain import registered
from .._settings import ROW_MULTIPLE, default_settings
from ._normal import Normal

_MOST_ROWS, _FEWEST_ROWS, _MOST_CELLS = 1000, 50, 2**24
_MOST_WORK = 4e10  # products in the factorisations of all columns
_N_STEPS, _LR, _ROWS_OF_STEP = 16, 0.1, 256
_LEAST_NOISE, _LEAST_LOG_NOISE = 1e-3, -4.0
_ROWS_AT_ONCE = 2048


@registered
class KernelMachines:
    """Regressions of columns on all others, by a kernel with a length for each input.

    Inputs are conditional means of the normal distribution, given all observed cells but that of
    the column, and the target is what the distribution leaves of it; the coded columns of
    categories have one machine. The kernel is a Matérn covariance of order 1/2. Lengths and noise
    come from the marginal likelihood: a few steps on small samples, because more would adapt them
    too well.

    Parameters
    ----------
    inputs : ndarray of float32 of shape (n_machines, n_rows, n_columns)
        Of the training rows, divided by lengths.
    inverse_lengths : ndarray of float32 of shape (n_machines, n_columns)
        What inputs are multiplied by.
    sizes : ndarray of float32 of shape (n_machines,)
        Variances of the kernels.
    weights : ndarray of float32 of shape (n_rows, n_columns)
        Of the training rows.
    widths : list of int
        Number of coded columns of each machine.

    References
    ----------
    Rasmussen & Williams, "Gaussian processes for machine learning", 2006, sections 2.3, 4.2.1, 5.1
    and 5.4.2.
    """

    inputs: np.ndarray
    inverse_lengths: np.ndarray
    sizes: np.ndarray
    weights: np.ndarray
    widths: list[int]

    @classmethod
    @default_settings()
    def of(
        cls,
        target: Tensor,
        guess: Tensor,
        is_hidden: Tensor,
        normal: Normal,
        widths: Sequence[int],
        seed: int,
    ) -> tuple[Self | None, Tensor]:
        """Fit the machines, and judge them on hidden cells without the row of the cell.

        Parameters
        ----------
        target : Tensor of shape (n_rows, n_columns)
            Coded training rows in random order, NaN where cells are missing; the first ones are
            trained on.
        guess : Tensor of shape (n_rows, n_columns)
            First guesses for them, where more cells are hidden.
        is_hidden : Tensor of bool of shape (n_rows, n_columns)
            These cells.
        normal : Normal
            The distribution.
        widths : sequence of int
            Numbers of coded columns of the columns of the table.
        seed : int
            Determines samples of rows.

        Returns
        -------
        machines : KernelMachines or None
            None if there are too few rows, or too many columns.
        moves : Tensor of shape (n_rows, n_columns)
            What they add to the guesses of hidden cells; zeros elsewhere.
        """
        guess = guess.float()
        moves, slices = torch.zeros_like(guess), _slices(widths)
        n_machines = len(slices)
        n_rows = min(len(target), _MOST_ROWS, _MOST_CELLS // (n_machines * guess.shape[1]))
        n_rows = min(n_rows, int((_MOST_WORK / n_machines) ** (1 / 3)))
        if n_rows < _FEWEST_ROWS:
            return None, moves
        inputs, y = _without_each(target[:n_rows].double(), normal, slices)
        observed = ~torch.stack([target[:n_rows, own.start].isnan() for own in slices])
        inverse_lengths, noises, sizes = _fitted(inputs, y, observed, slices, seed)
        inputs *= inverse_lengths[:, None]
        weights = torch.zeros_like(y)
        for j, own in enumerate(slices):
            rows = observed[j].nonzero()[:, 0]
            if not len(rows):
                continue
            kernel = sizes[j] * _kernel(inputs[j, rows], inputs[j, rows])
            kernel.diagonal().add_(noises[j])
            inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel))
            weights[rows, own] = inverse @ y[rows, own]
            # A judged row must not speak for itself: its weight is taken out, exactly.
            shares = weights[rows, own] / inverse.diagonal()[:, None]
            for some in is_hidden[:, own.start].nonzero()[:, 0].split(_ROWS_AT_ONCE):
                points = guess[some] * inverse_lengths[j]
                kernel = sizes[j] * _kernel(points, inputs[j, rows])
                place = torch.searchsorted(rows, some).clamp(max=len(rows) - 1)
                of_itself = (kernel * inverse[:, place].T).sum(1) * (rows[place] == some)
                moves[some, own] = kernel @ weights[rows, own] - of_itself[:, None] * shares[place]
        parts = (inputs, inverse_lengths, sizes, weights)
        return cls(*(each.float().numpy() for each in parts), list(widths)), moves

    def moves(self, guess: Tensor, missing: Tensor) -> Tensor:
        """Return what the machines add to first guesses.

        Parameters
        ----------
        guess : Tensor of shape (n_rows, n_columns)
            First guesses.
        missing : Tensor of bool of shape (n_rows, n_columns)
            Which cells are.

        Returns
        -------
        Tensor of shape (n_rows, n_columns)
            Zeros for observed cells.
        """
        parts = (self.inputs, self.inverse_lengths, self.sizes, self.weights)
        inputs, inverse_lengths, sizes, weights = (torch.tensor(each).to(guess) for each in parts)
        moves = torch.zeros_like(guess)
        for j, own in enumerate(_slices(self.widths)):
            rows = missing[:, own.start].nonzero()[:, 0]
            if not len(rows):
                continue
            # In multiples of 32, or a row's last bits would depend on the others.
            rows = torch.cat([rows, rows[-1:].expand(-len(rows) % ROW_MULTIPLE)])
            for some in rows.split(_ROWS_AT_ONCE):
                kernel = _kernel(guess[some] * inverse_lengths[j], inputs[j])
                # One by one, for the bits of a product with several depend on the number of rows.
                columns = [kernel @ each for each in weights[:, own].T.contiguous()]
                moves[some, own] = sizes[j] * torch.stack(columns, 1)
        return moves


def _slices(widths: Sequence[int]) -> list[slice]:
    """Return where the coded columns of each column are."""
    ends = list(itertools.accumulate(widths))
    return [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """Return the Matérn covariance of order 1/2 of points."""
    squares = a.square().sum(-1)[..., None] + b.square().sum(-1)[..., None, :]
    squares = squares - 2 * a @ b.transpose(-1, -2)
    return (-(squares.clamp(min=0) + 1e-6).sqrt()).exp()


def _without_each(x: Tensor, normal: Normal, slices: Sequence[slice]) -> tuple[Tensor, Tensor]:
    """Return conditional means without each column, and what they leave of it.

    Parameters
    ----------
    x : Tensor of float64 of shape (n_rows, n_columns)
        Coded rows, NaN where cells are missing.
    normal : Normal
        The distribution.
    slices : sequence of slice
        Which coded columns stand for one.

    Returns
    -------
    means : Tensor of float32 of shape (n_machines, n_rows, n_columns)
        Given all observed cells but that of the column.
    errors : Tensor of float32 of shape (n_rows, n_columns)
        Of the column, where it is observed.
    """
    n, d = x.shape
    mean, covariance = torch.tensor(normal.mean), torch.tensor(normal.covariance)
    means, errors = torch.empty(len(slices), n, d), torch.empty(n, d)
    for some in torch.arange(n).split(max(1, _MOST_CELLS // 8 // d**2)):
        observed = (~x[some].isnan()).to(x.dtype)
        both = observed[:, :, None] * observed[:, None, :]
        identity = torch.diag_embed(1 - observed)
        factors = torch.linalg.cholesky(both * covariance + identity)
        inverse = torch.cholesky_inverse(factors) * both
        regular = inverse + identity
        weights = inverse @ (x[some] - mean).nan_to_num(0.0)[..., None]
        filled = torch.where(x[some].isnan(), mean + weights[..., 0] @ covariance, x[some])
        for j, own in enumerate(slices):
            steps = torch.linalg.solve(regular[:, own, own], weights[:, own])
            without = filled - (inverse[:, :, own] @ steps)[..., 0] @ covariance
            means[j, some] = without.float()
            errors[some, own] = (x[some, own] - without[:, own]).nan_to_num(0.0).float()
    return means, errors


def _fitted(
    inputs: Tensor, y: Tensor, observed: Tensor, slices: Sequence[slice], seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return inverse lengths, variances of noise and of kernels; see :func:`_without_each`."""
    m, n, d = inputs.shape
    generator = torch.Generator().manual_seed(seed)
    seen, widths = observed.float(), torch.tensor([float(own.stop - own.start) for own in slices])
    targets = nn.utils.rnn.pad_sequence([y[:, own].T for own in slices], batch_first=True)
    targets = targets.transpose(1, 2)
    n_cells = (seen.sum(1) * widths).clamp(min=1)
    variances = (targets.square().sum((1, 2)) / n_cells).clamp(min=1e-4)
    targets = targets / variances.sqrt()[:, None, None]
    logs = [
        torch.full((m, d), -0.5 * math.log(d)),
        torch.full((m,), math.log(0.5)),
        torch.full((m,), math.log(0.5)),
    ]
    with torch.enable_grad():
        inverse, noise, size = (each.requires_grad_() for each in logs)
        optimizer = torch.optim.Adam(logs, _LR)
        for _ in range(_N_STEPS):
            rows = torch.randperm(n, generator=generator)[:_ROWS_OF_STEP]
            points, o = inputs[:, rows] * inverse.exp()[:, None], seen[:, rows]
            kernel = _kernel(points, points) * size.exp()[:, None, None]
            diagonal = (noise.clamp(min=_LEAST_LOG_NOISE).exp() + _LEAST_NOISE)[:, None] * o
            kernel = kernel * o[:, :, None] * o[:, None, :] + torch.diag_embed(diagonal + 1 - o)
            factor = torch.linalg.cholesky(kernel)
            weights = torch.cholesky_solve(targets[:, rows], factor)
            loss = 0.5 * (targets[:, rows] * weights).sum() + inverse.exp().sum()
            loss = loss + widths @ factor.diagonal(dim1=1, dim2=2).log().sum(1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    noises = noise.detach().clamp(min=_LEAST_LOG_NOISE).exp() + _LEAST_NOISE
    return inverse.detach().exp(), noises, size.detach().exp()
