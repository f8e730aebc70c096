"""A normal distribution given some cells of a row, each row with its own observed ones.

With P the inverse of the covariance, o the observed cells of a row and m the missing ones, these
have the mean ``mean_m - inv(P_mm) P_mo (x_o - mean_o)`` and the covariance ``inv(P_mm)``.
"""

import torch
from torch import Tensor


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
    factors = torch.linalg.cholesky(_of_missing(patterns, precision))
    variances = torch.cholesky_inverse(factors).diagonal(dim1=1, dim2=2)
    pull = torch.where(missing, 0.0, x - mean) @ precision
    moved = torch.cholesky_solve((pull * missing)[..., None], factors[which])[..., 0]
    return torch.where(missing, mean - moved, x), variances[which]


def conditional_covariances(patterns: Tensor, precision: Tensor) -> Tensor:
    """Return covariances of missing cells, given the others.

    Parameters
    ----------
    patterns : Tensor of bool of shape (n_patterns, n_columns)
        Which cells are missing.
    precision : Tensor of shape (n_columns, n_columns)
        Inverse of the covariance matrix of the distribution.

    Returns
    -------
    Tensor of shape (n_patterns, n_columns, n_columns)
        Zeros in the rows and columns of observed cells.
    """
    inverses = torch.cholesky_inverse(torch.linalg.cholesky(_of_missing(patterns, precision)))
    return inverses * (patterns[:, :, None] & patterns[:, None, :])


def _of_missing(patterns: Tensor, precision: Tensor) -> Tensor:
    """Return the precision of missing cells, beside the identity for observed ones."""
    is_missing = patterns.to(precision.dtype)
    of_missing = is_missing[:, :, None] * precision * is_missing[:, None, :]
    return of_missing + torch.diag_embed(1 - is_missing)


def wide(x: Tensor) -> Tensor:
    """Return a tensor in float64, where the device has it."""
    return x if x.device.type == "mps" else x.double()
