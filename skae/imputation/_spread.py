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
from ._rows import JudgedRows

_LEVELS = np.linspace(0, 1, 201)
_CELLS_OF_ALL = 50  # of all columns, that count beside those of a column
_SHRINKAGE, _SHRINKAGE_OF_ALL = 0.02, 1e-3
_LARGEST_SHARE = 1.2
_LEAST_VARIANCE = 1e-4


@registered
class Spread:
    """How much of the corrections to believe, and the errors that are left.

    Parameters
    ----------
    shares : ndarray of shape (2, n_numbers)
        What the corrections by kernel machines and by networks are multiplied by.
    errors : ndarray of shape (n_numbers, n_levels)
        Quantiles of errors in predicted standard deviations.
    machine_shares : ndarray of shape (n_columns - n_numbers,)
        Of the probabilities of categories, those by kernel machines; the rest is by networks.
    """

    shares: np.ndarray
    errors: np.ndarray
    machine_shares: np.ndarray

    def corrected(self, guess: Any, moves: Any, steps: Any) -> Any:
        """Return numbers with as much of the corrections as is to be believed.

        Parameters
        ----------
        guess : Tensor or ndarray of shape (n_rows, n_columns)
            First guesses.
        moves : the same, of shape (n_rows, n_columns)
            What kernel machines add to them.
        steps : the same, of shape (n_rows, n_numbers)
            What networks add to them.

        Returns
        -------
        Tensor or ndarray of shape (n_rows, n_numbers)
            Numbers.
        """
        shares: Any = self.shares
        if isinstance(guess, Tensor):
            shares = torch.tensor(shares).to(guess)
        m = shares.shape[1]
        return guess[:, :m] + shares[0] * moves[:, :m] + shares[1] * steps

    def probabilities(self, guess: Any, moves: Any, of_networks: Any) -> Any:
        """Return probabilities of categories, up to a factor.

        Parameters
        ----------
        guess, moves : Tensor or ndarray of shape (n_rows, n_columns)
            First guesses, and what kernel machines add to them.
        of_networks : the same, of shape (n_rows, n_columns - n_numbers)
            Probabilities by networks.

        Returns
        -------
        Tensor or ndarray of shape (n_rows, n_columns - n_numbers)
            Not negative.
        """
        shares: Any = self.machine_shares
        if isinstance(guess, Tensor):
            shares = torch.tensor(shares).to(guess)
        return of_networks + shares * (_by_machines(guess, moves, of_networks) - of_networks)

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
    moves : ndarray of shape (n_rows, n_columns)
        What kernel machines add to first guesses.
    steps : ndarray of shape (n_rows, n_numbers)
        What networks add to first guesses.
    scale : ndarray of shape (n_rows, n_numbers)
        Standard deviations of numbers by the networks.
    shares : ndarray of shape (n_rows, n_columns - n_numbers)
        Probabilities of categories by the networks.
    target : ndarray of shape (n_rows, n_columns)
        The coded rows.
    is_judged : ndarray of bool of shape (n_rows, n_columns)
        Which cells were hidden.
    sizes : sequence of int
        Widths of the groups of categories.
    """

    guess: np.ndarray
    moves: np.ndarray
    steps: np.ndarray
    scale: np.ndarray
    shares: np.ndarray
    target: np.ndarray
    is_judged: np.ndarray
    sizes: Sequence[int]

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
        moves : Tensor of shape (n_rows, n_columns)
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
        arrays = (each.cpu().double().numpy() for each in parts)
        return cls(*arrays, is_judged.cpu().numpy(), module.sizes)

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
        corrections = np.where(judged, [self.moves[:, :m], self.steps], 0.0)
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
        return Spread(shares, errors, self._machine_shares())

    def _machine_shares(self) -> np.ndarray:
        """Return what share of the probabilities of categories is best by kernel machines.

        Least squares, group by group, drawn to the share that is best for all of them.
        """
        m, judged = self.steps.shape[1], self.is_judged[:, self.steps.shape[1] :]
        machines = _by_machines(self.guess, self.moves, self.shares)
        change = np.where(judged, machines - self.shares, 0.0)
        wanted = np.where(judged, self.target[:, m:] - self.shares, 0.0)
        starts = np.cumsum([0, *self.sizes])[:-1]
        left, right = (
            np.add.reduceat((change * each).sum(axis=0), starts) if len(starts) else np.empty(0)
            for each in (change, wanted)
        )
        n_cells = max(1, judged[:, starts].sum())
        of_all = right.sum() / max(left.sum(), _LEAST_VARIANCE)
        prior = _CELLS_OF_ALL * left.sum() / n_cells + _LEAST_VARIANCE
        shares = (right + prior * of_all) / (left + prior)
        return np.repeat(shares.clip(0, 1), self.sizes)

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
        numbers = spread.corrected(self.guess, self.moves, self.steps)
        return np.c_[numbers, spread.probabilities(self.guess, self.moves, self.shares)]


def _by_machines(guess: Any, moves: Any, of_networks: Any) -> Any:
    m = guess.shape[1] - of_networks.shape[1]
    return (guess + moves)[:, m:].clip(0)


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
