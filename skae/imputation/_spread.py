"""How far filled cells are from the truth, learned from cells that were held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from scipy.optimize import nnls
from scipy.stats import norm
from torch import Tensor

from .._plain import registered
from .._settings import inference
from ..networks._normal import completed, conditional_covariances, wide
from ._kernels import KernelMachines
from ._rows import JudgedRows

_LEVELS = np.linspace(0, 1, 201)
_CELLS_OF_ALL = 50  # of all columns, that count beside those of a column
_SHRINKAGE, _SHRINKAGE_OF_ALL = 0.02, 1e-3
_LARGEST_SHARE = 1.2
_LEAST_VARIANCE = 1e-4
_LEAST_SHARE_OF_DIAGONAL = 0.02


@registered
class Spread:
    """How much of the corrections to believe, and the errors that are left.

    Parameters
    ----------
    shares : ndarray of shape (2, n_numbers)
        What the corrections by kernel machines and by networks are multiplied by.
    errors : ndarray of shape (n_numbers, n_levels)
        Quantiles of errors in predicted standard deviations.
    """

    shares: np.ndarray
    errors: np.ndarray

    def corrected(self, guess: Any, moves: Any, steps: Any) -> Any:
        """Return numbers with as much of the corrections as is to be believed.

        Parameters
        ----------
        guess : Tensor or ndarray of shape (n_rows, n_columns)
            First guesses.
        moves, steps : the same, of shape (n_rows, n_numbers)
            What kernel machines, and networks, add to them.

        Returns
        -------
        Tensor or ndarray of shape (n_rows, n_numbers)
            Numbers.
        """
        shares: Any = self.shares
        if isinstance(guess, Tensor):
            shares = torch.tensor(shares).to(guess)
        return guess[:, : shares.shape[1]] + shares[0] * moves + shares[1] * steps

    def quantiles(self, u: Tensor) -> Tensor:
        """Return quantiles of the errors of columns of numbers.

        Parameters
        ----------
        u : Tensor of shape (n_rows, n_numbers)
            Levels from 0 to 1.

        Returns
        -------
        Tensor of shape (n_rows, n_numbers)
            In predicted standard deviations.
        """
        errors = torch.tensor(self.errors).to(u)
        place = u * (errors.shape[1] - 1)
        low = place.floor().long().clamp(0, errors.shape[1] - 2)
        columns = torch.arange(len(errors), device=u.device)
        below, above = errors[columns, low], errors[columns, low + 1]
        return below + (place - low) * (above - below)


@dataclass(frozen=True)
class HeldOutCells:
    """Cells that were hidden, and what networks that do not train on their rows make of them.

    Parameters
    ----------
    guess : ndarray of shape (n_rows, n_columns)
        First guesses by normal distributions that have not seen the row.
    moves, steps : ndarray of shape (n_rows, n_numbers)
        What kernel machines, and networks, add to first guesses.
    scale : ndarray of shape (n_rows, n_numbers)
        Standard deviations of numbers by the networks.
    shares : ndarray of shape (n_rows, n_columns - n_numbers)
        Probabilities of categories by the networks.
    target : ndarray of shape (n_rows, n_columns)
        The coded rows.
    is_judged : ndarray of bool of shape (n_rows, n_columns)
        Which cells were hidden.
    """

    guess: np.ndarray
    moves: np.ndarray
    steps: np.ndarray
    scale: np.ndarray
    shares: np.ndarray
    target: np.ndarray
    is_judged: np.ndarray

    @classmethod
    @inference()
    def of(cls, module: Any, rows: JudgedRows, moves: Tensor, honest: Tensor) -> Self:
        """Ask the networks.

        Parameters
        ----------
        module : ImputingEnsemble
            The networks.
        rows : JudgedRows
            Rows with hidden cells.
        moves : Tensor of shape (n_rows, n_numbers)
            What kernel machines say of them.
        honest : Tensor of shape (n_rows, n_columns)
            First guesses by normal distributions that have not seen the row.

        Returns
        -------
        HeldOutCells
            What they say.
        """
        x, target = rows.whole
        is_out, guess, scale = rows.whole.extra
        output = module.members(x, guess, scale)
        numbers, shares, scale = combined(module, *output, weights=is_out.T)
        is_judged = x.isnan() & ~target.isnan() & (is_out.sum(1, keepdim=True) > 0)
        steps = numbers - guess[:, : numbers.shape[1]]
        parts = honest, moves, steps, scale, shares, target
        return cls(*(each.cpu().double().numpy() for each in parts), is_judged.cpu().numpy())

    def spread(self) -> Spread:
        """Return how much of the corrections to believe, and the errors that are left.

        Returns
        -------
        Spread
            What the cells say.
        """
        m = self.steps.shape[1]
        judged, first = self.is_judged[:, :m], self.guess[:, :m]
        wanted = np.where(judged, self.target[:, :m] - first, 0.0)
        corrections = np.where(judged, [self.moves, self.steps], 0.0)
        shares = _shares(corrections, wanted, judged)
        errors = (wanted - (shares[:, None] * corrections).sum(axis=0)) / self.scale
        of_columns = [errors[judged[:, j], j] for j in range(m)]
        every = np.concatenate([*of_columns, np.empty(0)])
        # Without any cell to learn from, errors are taken to be normal.
        of_all = np.quantile(every, _LEVELS) if len(every) else norm.ppf(_LEVELS.clip(0.002, 0.998))
        errors = np.empty((m, len(_LEVELS)))
        for j, own in enumerate(of_columns):
            share = len(own) / (len(own) + _CELLS_OF_ALL)
            of_own = np.quantile(own, _LEVELS) if len(own) else of_all
            errors[j] = share * of_own + (1 - share) * of_all
        return Spread(shares, errors)

    def corrected(self, spread: Spread) -> np.ndarray:
        """Return the rows filled.

        Parameters
        ----------
        spread : Spread
            How much of the corrections to believe.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            Numbers, and probabilities of categories.
        """
        return np.c_[spread.corrected(self.guess, self.moves, self.steps), self.shares]


def _shares(corrections: np.ndarray, wanted: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Return how much of each correction to add up, column by column.

    Least squares with shares of at least 0, drawn to the shares that are best for all columns
    together, as if some more cells were like those of the others.

    Parameters
    ----------
    corrections : ndarray of shape (2, n_rows, n_columns)
        What could be added; zeros in cells that were not hidden.
    wanted : ndarray of shape (n_rows, n_columns)
        What should be.
    judged : ndarray of bool of shape (n_rows, n_columns)
        Which cells were hidden.

    Returns
    -------
    ndarray of shape (2, n_columns)
        The shares.
    """
    counts = judged.sum(axis=0)
    n_cells = max(1, counts.sum())
    variances = np.square(wanted).sum(axis=0) / counts.clip(min=1)
    weights = 1 / variances.clip(min=_LEAST_VARIANCE)
    left = np.einsum("arc,brc,c->cab", corrections, corrections, weights)
    right = np.einsum("arc,rc,c->ca", corrections, wanted, weights)
    ridge = _SHRINKAGE_OF_ALL * n_cells * np.eye(2)
    of_all = _not_negative(left.sum(axis=0) + ridge, right.sum(axis=0) + ridge @ [0.5, 0.5])
    prior = _CELLS_OF_ALL * (left.sum(axis=0) / n_cells + _SHRINKAGE * np.eye(2))
    each = zip(left, right, strict=True)
    shares = [_not_negative(A + prior, b + prior @ of_all) for A, b in each]
    return np.array(shares).reshape(-1, 2).T


def _not_negative(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Solve two normal equations under the condition that no share is negative or large."""
    factor = np.linalg.cholesky(A)
    return nnls(factor.T, np.linalg.solve(factor, b))[0].clip(max=_LARGEST_SHARE)


def combined(
    module: Any,
    output: Tensor,
    log_scale: Tensor,
    weights: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what members say together.

    Parameters
    ----------
    module : ImputingEnsemble
        The networks.
    output : Tensor of shape (n_members, n_rows, n_columns)
        What the members give.
    log_scale : Tensor of shape (n_members, n_rows, n_numbers)
        Logarithms of predicted standard deviations.
    weights : Tensor of shape (n_members, n_rows) or None, default=None
        How much each member has to say on a row; None for the same of all.

    Returns
    -------
    numbers : Tensor of shape (n_rows, n_numbers)
        Means.
    shares : Tensor of shape (n_rows, n_columns - n_numbers)
        Probabilities of categories.
    scale : Tensor of shape (n_rows, n_numbers)
        Standard deviations.
    """
    if weights is None:
        weights = output.new_ones(output.shape[:2])
    weights = (weights / weights.sum(0).clamp(min=1))[..., None]
    numbers = (output[..., : module.n_numbers] * weights).sum(0)
    shares = (module.probabilities(output) * weights).sum(0)
    return numbers, shares, (log_scale * weights).sum(0).exp()


def filled(module: Any, x: Tensor, spread: Spread, machines: KernelMachines | None) -> Tensor:
    """Fill missing cells.

    Parameters
    ----------
    module : ImputingEnsemble
        The networks.
    x : Tensor of shape (n_rows, n_columns)
        Coded rows, NaN where cells are missing.
    spread : Spread
        How much of the corrections to believe.
    machines : KernelMachines or None
        Further corrections.

    Returns
    -------
    Tensor of shape (n_rows, n_columns + n_numbers)
        Means of numbers and probabilities of categories, then standard deviations of numbers.
    """
    guess, scale = module.first_guess(x)
    numbers, shares, scale = combined(module, *module.members(x, guess, scale))
    moves = machines.moves(guess, x.isnan()) if machines else torch.zeros_like(numbers)
    steps = numbers - guess[:, : module.n_numbers]
    return torch.cat([spread.corrected(guess, moves, steps), shares, scale], 1)


def drawn(
    module: Any,
    x: Tensor,
    normals: Sequence[tuple[Tensor, Tensor]],
    spread: Spread,
    machines: KernelMachines | None,
    generator: torch.Generator,
) -> Tensor:
    """Draw missing cells, once for each of several normal distributions.

    Errors of numbers have the distribution of those of held-out cells, and hang together as under
    the normal distribution. Networks are asked in turn.

    Parameters
    ----------
    module : ImputingEnsemble
        The networks.
    x : Tensor of shape (n_rows, n_columns)
        Coded rows, NaN where cells are missing.
    normals : sequence of tuple of two Tensors
        Means and precisions of normal distributions that were fitted to resampled rows; the first
        guess of each draw.
    spread : Spread
        Errors of held-out cells.
    machines : KernelMachines or None
        Corrections besides those of the networks.
    generator : torch.Generator on the CPU
        The only source of randomness.

    Returns
    -------
    Tensor of shape (n_rows, n_draws, n_columns)
        Numbers, and logits of categories of which the highest is drawn.
    """
    m, missing = module.n_numbers, x.isnan()
    guess, scale = module.first_guess(x)
    output, log_scale = module.members(x, guess, scale)
    moves = machines.moves(guess, missing) if machines else torch.zeros_like(log_scale[0])
    covariance = conditional_covariances(missing, wide(module.precision))[:, :m, :m]
    diagonal = torch.diag_embed(covariance.diagonal(dim1=1, dim2=2))
    covariance = torch.lerp(covariance, diagonal, _LEAST_SHARE_OF_DIAGONAL)
    covariance = covariance + torch.diag_embed((~missing[:, :m]).to(covariance))
    factors = torch.linalg.cholesky(covariance)
    deviations = covariance.diagonal(dim1=1, dim2=2).sqrt()
    draws = []
    for i, (mean, precision) in enumerate(normals):
        member = i % len(output)
        other, _ = completed(wide(x), wide(mean.to(x)), wide(precision.to(x)))
        normal = torch.randn((len(x), m, 1), generator=generator).to(factors)
        together = (factors @ normal)[..., 0] / deviations
        errors = spread.quantiles(torch.special.ndtr(together)).to(x.dtype)
        steps = output[member, :, :m] - guess[:, :m]
        numbers = spread.corrected(other.to(x), moves, steps) + errors * log_scale[member].exp()
        logits = output[member, :, m:]
        uniform = torch.rand(logits.shape, generator=generator).to(x).clamp(1e-12, 1 - 1e-7)
        draws.append(torch.cat([numbers, logits - uniform.log().neg().log()], 1))
    return torch.stack(draws, 1)
