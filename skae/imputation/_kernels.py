"""Kernel machines, one for each column of numbers: what the normal distribution leaves of it."""

import math
from typing import Self

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from .._settings import default_settings
from ._normal import Normal

_MOST_ROWS, _FEWEST_ROWS, _MOST_CELLS = 1000, 50, 2**24
_MOST_WORK = 4e10  # products in the factorisations of all columns
_N_STEPS, _LR, _ROWS_OF_STEP = 16, 0.1, 256
_LEAST_NOISE, _LEAST_LOG_NOISE = 1e-3, -4.0
_ROWS_AT_ONCE, _ROW_MULTIPLE = 2048, 32


@registered
class KernelMachines:
    """Regressions of columns of numbers on all others, by a kernel with a length for each input.

    Inputs are conditional means of the normal distribution, given all observed cells but that of
    the column, and the target is what the distribution leaves of it. The kernel is a Matérn
    covariance of order 1/2. Lengths and noise come from the marginal likelihood: a few steps on
    small samples, because more would adapt them too well.

    Parameters
    ----------
    inputs : ndarray of float32 of shape (n_numbers, n_rows, n_columns)
        Of the training rows, divided by lengths.
    inverse_lengths : ndarray of float32 of shape (n_numbers, n_columns)
        What inputs are multiplied by.
    sizes : ndarray of float32 of shape (n_numbers,)
        Variances of the kernels.
    weights : ndarray of float32 of shape (n_numbers, n_rows)
        Of the training rows.

    References
    ----------
    Rasmussen & Williams, "Gaussian processes for machine learning", 2006, sections 2.3, 4.2.1, 5.1
    and 5.4.2.
    """

    inputs: np.ndarray
    inverse_lengths: np.ndarray
    sizes: np.ndarray
    weights: np.ndarray

    @classmethod
    @default_settings()
    def of(
        cls,
        target: Tensor,
        guess: Tensor,
        is_hidden: Tensor,
        normal: Normal,
        n_numbers: int,
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
        n_numbers : int
            Number of columns of numbers, which come first.
        seed : int
            Determines samples of rows.

        Returns
        -------
        machines : KernelMachines or None
            None if there are no numbers, too few rows, or too many columns.
        moves : Tensor of shape (n_rows, n_numbers)
            What they add to the guesses of hidden cells; zeros elsewhere.
        """
        guess = guess.float()
        moves = guess.new_zeros(len(guess), n_numbers)
        n_cells = n_numbers * target.shape[1]
        n_rows = min(len(target), _MOST_ROWS, _MOST_CELLS // max(1, n_cells))
        n_rows = min(n_rows, int((_MOST_WORK / max(1, n_numbers)) ** (1 / 3)))
        if not n_numbers or n_rows < _FEWEST_ROWS:
            return None, moves
        inputs, y = _without_each(target[:n_rows].double(), normal, n_numbers)
        observed = ~target[:n_rows, :n_numbers].T.isnan()
        inverse_lengths, noises, sizes = _fitted(inputs, y, observed, seed)
        inputs *= inverse_lengths[:, None]
        weights = torch.zeros_like(y)
        for j in range(n_numbers):
            rows = observed[j].nonzero()[:, 0]
            if not len(rows):
                continue
            kernel = sizes[j] * _kernel(inputs[j, rows], inputs[j, rows])
            kernel.diagonal().add_(noises[j])
            inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel))
            weights[j, rows] = inverse @ y[j, rows]
            # A judged row must not speak for itself: its weight is taken out, exactly.
            share = weights[j, rows] / inverse.diagonal()
            for some in is_hidden[:, j].nonzero()[:, 0].split(_ROWS_AT_ONCE):
                points = guess[some] * inverse_lengths[j]
                kernel = sizes[j] * _kernel(points, inputs[j, rows])
                moves[some, j] = kernel @ weights[j, rows]
                place = torch.searchsorted(rows, some).clamp(max=len(rows) - 1)
                own = (kernel * inverse[:, place].T).sum(1) * share[place]
                moves[some, j] -= torch.where(rows[place] == some, own, 0.0)
        parts = (inputs, inverse_lengths, sizes, weights)
        return cls(*(each.float().numpy() for each in parts)), moves

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
        Tensor of shape (n_rows, n_numbers)
            Zeros for observed cells.
        """
        parts = (self.inputs, self.inverse_lengths, self.sizes, self.weights)
        inputs, inverse_lengths, sizes, weights = (torch.tensor(each).to(guess) for each in parts)
        moves = guess.new_zeros(len(guess), len(sizes))
        for j, size in enumerate(sizes):
            rows = missing[:, j].nonzero()[:, 0]
            if not len(rows):
                continue
            # In multiples of 32, or a row's last bits would depend on the others.
            rows = torch.cat([rows, rows[-1:].expand(-len(rows) % _ROW_MULTIPLE)])
            for some in rows.split(_ROWS_AT_ONCE):
                kernel = _kernel(guess[some] * inverse_lengths[j], inputs[j])
                moves[some, j] = size * (kernel @ weights[j])
        return moves


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """Return the Matérn covariance of order 1/2 of points."""
    squares = a.square().sum(-1)[..., None] + b.square().sum(-1)[..., None, :]
    squares = squares - 2 * a @ b.transpose(-1, -2)
    return (-(squares.clamp(min=0) + 1e-6).sqrt()).exp()


def _without_each(x: Tensor, normal: Normal, n_numbers: int) -> tuple[Tensor, Tensor]:
    """Return conditional means without each column of numbers, and what they leave of it.

    Parameters
    ----------
    x : Tensor of float64 of shape (n_rows, n_columns)
        Coded rows, NaN where cells are missing.
    normal : Normal
        The distribution.
    n_numbers : int
        Number of columns of numbers.

    Returns
    -------
    means : Tensor of float32 of shape (n_numbers, n_rows, n_columns)
        Given all observed cells but that of the column.
    errors : Tensor of float32 of shape (n_numbers, n_rows)
        Of the column, where it is observed.
    """
    n, d = x.shape
    mean, covariance = torch.tensor(normal.mean), torch.tensor(normal.covariance)
    means = torch.empty(n_numbers, n, d)
    for some in torch.arange(n).split(max(1, _MOST_CELLS // 8 // d**2)):
        observed = (~x[some].isnan()).to(x.dtype)
        of_seen = observed[:, :, None] * covariance * observed[:, None, :]
        factors = torch.linalg.cholesky(of_seen + torch.diag_embed(1 - observed))
        inverse = torch.cholesky_inverse(factors) * observed[:, :, None] * observed[:, None, :]
        weights = (inverse @ (x[some] - mean).nan_to_num(0.0)[..., None])[..., 0]
        filled = torch.where(x[some].isnan(), mean + weights @ covariance, x[some])
        steps = weights / inverse.diagonal(dim1=1, dim2=2).clamp(min=1e-12)
        pulls = (inverse[:, :n_numbers] @ covariance) * steps[:, :n_numbers, None]
        means[:, some] = (filled[:, None] - pulls).float().transpose(0, 1)
    columns = torch.arange(n_numbers)
    errors = x[:, :n_numbers].T.float() - means[columns, :, columns]
    return means, errors.nan_to_num(0.0)


def _fitted(
    inputs: Tensor, y: Tensor, observed: Tensor, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return inverse lengths, variances of noise and of kernels; see :func:`_without_each`."""
    m, n, d = inputs.shape
    generator = torch.Generator().manual_seed(seed)
    seen = observed.float()
    variances = (y.square().sum(1) / seen.sum(1).clamp(min=1)).clamp(min=1e-4)
    y = y / variances.sqrt()[:, None]
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
            weights = torch.cholesky_solve(y[:, rows, None], factor)
            loss = 0.5 * (y[:, rows, None] * weights).sum()
            loss = loss + factor.diagonal(dim1=1, dim2=2).log().sum() + inverse.exp().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    noises = noise.detach().clamp(min=_LEAST_LOG_NOISE).exp() + _LEAST_NOISE
    return inverse.detach().exp(), noises, size.detach().exp()
