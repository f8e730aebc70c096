"""A normal distribution given some cells of a row, each row with its own observed ones.

With P the inverse of the covariance, o the observed cells of a row and m the missing ones, these
have the mean ``mean_m - inv(P_mm) P_mo (x_o - mean_o)`` and the covariance ``inv(P_mm)``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_SIZE_MULTIPLE = 8


@dataclass(frozen=True)
class Blocks:
    """Precisions of the missing cells of patterns that have about as many of them.

    Parameters
    ----------
    patterns : Tensor of int64 of shape (n_patterns,)
        Positions of the patterns.
    columns : Tensor of int64 of shape (n_patterns, size)
        Positions of their missing cells, then of some others.
    is_missing : Tensor of bool of shape (n_patterns, size)
        Which of these are missing.
    factors : Tensor of shape (n_patterns, size, size)
        Cholesky factors of the precision of missing cells, and the identity for the others.
    """

    patterns: Tensor
    columns: Tensor
    is_missing: Tensor
    factors: Tensor

    @property
    def variances(self) -> Tensor:
        """Variances of missing cells, 1 for the others, (n_patterns, size)."""
        identity = torch.eye(self.factors.shape[1], dtype=self.factors.dtype)
        identity = identity.to(self.factors.device).expand_as(self.factors)
        roots = torch.linalg.solve_triangular(self.factors, identity, upper=False)
        return roots.square().sum(1)

    @property
    def covariances(self) -> Tensor:
        """Covariances of missing cells, zeros for the others, (n_patterns, size, size)."""
        both = self.is_missing[:, :, None] & self.is_missing[:, None, :]
        return torch.cholesky_inverse(self.factors) * both


def blocks_of(missing: Tensor, precision: Tensor) -> Iterator[Blocks]:
    """Yield what is known of patterns of missing cells.

    The size of a block depends on its pattern alone, and not on the others, so that the result for
    a row has the same bits whatever rows stand beside it.

    Parameters
    ----------
    missing : Tensor of bool of shape (n_patterns, n_columns)
        Which cells are missing.
    precision : Tensor of shape (n_columns, n_columns)
        Inverse of the covariance matrix of the distribution.

    Yields
    ------
    Blocks
        Each pattern with a missing cell is in one.
    """
    d = missing.shape[1]
    sizes = -(-missing.sum(1) // _SIZE_MULTIPLE) * _SIZE_MULTIPLE
    for size in sizes.unique().tolist():
        if not size:
            continue
        size = min(size, d)
        chosen = (sizes.clamp(max=d) == size).nonzero()[:, 0]
        is_missing, columns = (
            missing[chosen].to(torch.int8).sort(dim=1, descending=True, stable=True)
        )
        is_missing, columns = is_missing[:, :size] > 0, columns[:, :size]
        both = is_missing[:, :, None] & is_missing[:, None, :]
        block = precision[columns[:, :, None], columns[:, None, :]]
        identity = torch.eye(size, dtype=block.dtype, device=block.device)
        factors = torch.linalg.cholesky(torch.where(both, block, identity))
        yield Blocks(chosen, columns, is_missing, factors)


def completed(x: Tensor, mean: Tensor, precision: Tensor) -> tuple[Tensor, Tensor]:
    """Fill the missing cells of rows by their conditional means.

    Parameters
    ----------
    x : Tensor of shape (n_rows, n_columns)
        Rows; NaN where a cell is missing.
    mean : Tensor of shape (n_columns,)
        Mean of the distribution.
    precision : Tensor of shape (n_columns, n_columns)
        Inverse of its covariance matrix.

    Returns
    -------
    filled : Tensor of shape (n_rows, n_columns)
        The rows; observed cells are as they were.
    variances : Tensor of shape (n_rows, n_columns)
        Of missing cells, given the others; 1 for those.
    """
    missing = x.isnan()
    patterns, which = missing.unique(dim=0, return_inverse=True)
    pull = torch.where(missing, 0.0, x - mean) @ precision
    filled, variances = torch.where(missing, mean, x), torch.ones_like(x)
    place = torch.full((len(patterns),), -1, device=x.device)
    for blocks in blocks_of(patterns, precision):
        place.fill_(-1)[blocks.patterns] = torch.arange(len(blocks.patterns), device=x.device)
        rows = (place[which] >= 0).nonzero()[:, 0]
        of_rows = place[which[rows]]
        columns, is_missing = blocks.columns[of_rows], blocks.is_missing[of_rows]
        pulls = (pull[rows].gather(1, columns) * is_missing)[..., None]
        moved = torch.cholesky_solve(pulls, blocks.factors[of_rows])[..., 0]
        at = rows[:, None], columns
        filled[at] -= torch.where(is_missing, moved, 0.0)
        variances[at] = blocks.variances[of_rows]
    return filled, variances


def conditional_covariances(missing: Tensor, precision: Tensor) -> Tensor:
    """Return covariances of missing cells, given the others.

    Parameters
    ----------
    missing : Tensor of bool of shape (n_patterns, n_columns)
        Which cells are missing.
    precision : Tensor of shape (n_columns, n_columns)
        Inverse of the covariance matrix of the distribution.

    Returns
    -------
    Tensor of shape (n_patterns, n_columns, n_columns)
        Zeros in the rows and columns of observed cells.
    """
    covariances = precision.new_zeros(len(missing), *precision.shape)
    for blocks in blocks_of(missing, precision):
        columns = blocks.columns
        at = blocks.patterns[:, None, None], columns[:, :, None], columns[:, None, :]
        covariances[at] = blocks.covariances
    return covariances


def wide(x: Tensor) -> Tensor:
    """Return a tensor in float64, where the device has it."""
    return x if x.device.type == "mps" else x.double()
