"""Weights that choose tables, fitted by the length of the code, in closed form and Newton steps."""

import math

import torch
from torch import Tensor

from ._law import N_TABLES, TABLE_SPACING, Law
from ._regression import LOG_SCALES, scale_regression, some_rows

MOST_ROWS_OF_TABLES, _ROWS_OF_HESSIAN = 119_993, 11_987
_N_STEPS, _FINENESS = 8, 4
_LEAST_GAIN = 1e-4
_LARGEST_MOVE = 5.0  # of indices of tables, in a step
_LEAST_CURVATURE = 1e-3
_PENALTY, _RIDGE, _RELATIVE_RIDGE = 1e-3, 0.3, 1e-4


class Slopes:
    """How the length of the code changes from table to table, in steps of a quarter of one.

    Parameters
    ----------
    law : Law
        That of the tables.
    """

    def __init__(self, law: Law) -> None:
        self.law = law
        bits = law.by_magnitude
        at = torch.arange(_FINENESS * (N_TABLES - 1) + 1) / _FINENESS
        low = at.int().clamp(max=N_TABLES - 2)
        fine = torch.lerp(bits[low], bits[low + 1], (at - low)[:, None])
        half = _FINENESS // 2
        places = torch.arange(len(fine))
        above, below = (places + half).clamp(max=len(fine) - 1), (places - half).clamp(min=0)
        self.bits, self.most = fine, bits.shape[1] - 1
        self.slopes = (fine[above] - fine[below]) / ((above - below) / _FINENESS)[:, None]
        shares = torch.exp2(-fine)
        shares[:, 1:] *= 2
        shares /= shares.sum(1, keepdim=True)
        curvatures = math.log(2) * (shares * self.slopes.square()).sum(1)
        self.curvatures = curvatures.clamp(min=_LEAST_CURVATURE)

    def rows(self, indices: Tensor) -> Tensor:
        """Return the numbers of rows for indices of tables."""
        return (indices.clamp(0, N_TABLES - 1) * _FINENESS + 0.5).int()


def table_regression(X: Tensor, residuals: Tensor, slopes: Slopes) -> Tensor:
    """Return weights of the features that tables are chosen by.

    They start where exponential distributions of the residuals have the greatest likelihood. Then
    each channel takes Newton steps on the length of its code: bounded ones, with a curvature that
    is expected from the tables and has a floor, as channels that are nearly always zero say little.

    Parameters
    ----------
    X : Tensor of shape (n_rows, n_features)
        Features: one, and whole eighths of octaves.
    residuals : Tensor of shape (n_rows, n_channels)
        What will be rounded.
    slopes : Slopes
        Those of the tables.

    Returns
    -------
    Tensor of shape (n_features, n_channels)
        Weights of indices of tables, which still have to be rounded down.
    """
    X, residuals = X.float(), residuals.float()
    units = X.new_full((X.shape[1], 1), 1 / 8)  # octaves, so that weights have one size
    units[0] = 1
    X = X * units.T
    weights = scale_regression(X, residuals.abs())[:, :-1].T / TABLE_SPACING
    weights[0] -= LOG_SCALES[0] / TABLE_SPACING
    which = (X @ weights + 0.5).clamp(0, N_TABLES - 1).int()
    magnitudes = slopes.law.rounded(residuals, which).abs().clamp(max=slopes.most)
    weights = _descended(X, weights, magnitudes, slopes)
    weights = weights * units
    weights[0] += 0.5
    return weights


def _descended(X: Tensor, weights: Tensor, magnitudes: Tensor, slopes: Slopes) -> Tensor:
    """Return weights after some steps, each of which makes the code of a channel no longer."""
    n_columns = slopes.bits.shape[1]

    def evaluated(weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows = slopes.rows(X @ weights)
        places = (rows * n_columns + magnitudes).flatten()
        bits = slopes.bits.flatten().index_select(0, places).view_as(rows)
        slope = slopes.slopes.flatten().index_select(0, places).view_as(rows)
        cost = bits.sum(0, dtype=torch.float64) + _PENALTY * weights.square().sum(0)
        return cost, X.T @ slope + 2 * _PENALTY * weights, rows

    cost, gradient, rows = evaluated(weights)
    inverses = _inverse_hessians(X, slopes.curvatures[rows.long()])
    damping = torch.ones_like(weights[0])
    for _ in range(_N_STEPS):
        step = (inverses @ gradient.T.double()[..., None])[..., 0].T.to(weights)
        move = (X @ step).square().mean(0).sqrt()
        step = step * (damping * (_LARGEST_MOVE / move).clamp(max=1))
        there = evaluated(weights - step)
        is_better = there[0] < cost
        gain = float((cost - there[0]).clamp(min=0).sum())
        weights = torch.where(is_better, weights - step, weights)
        cost, gradient = (
            torch.where(is_better, new, old)
            for new, old in zip(there[:2], (cost, gradient), strict=True)
        )
        if gain < _LEAST_GAIN * float(cost.sum()):
            break
        damping = torch.where(is_better, (1.5 * damping).clamp(max=1), 0.4 * damping)
    return weights


def _inverse_hessians(X: Tensor, curvatures: Tensor) -> Tensor:
    """Return the inverse Hessians of all channels, estimated from some of the rows."""
    rows, n = some_rows(len(X), _ROWS_OF_HESSIAN), len(X)
    X, curvatures = X[rows], curvatures[rows]
    hessians = torch.stack([X.T @ (X * each[:, None]) for each in curvatures.unbind(1)])
    hessians = hessians.double() * (n / len(X))
    ridge = _RIDGE + _RELATIVE_RIDGE * hessians.diagonal(dim1=1, dim2=2).mean(1)
    eye = torch.eye(X.shape[1], dtype=torch.float64, device=X.device)
    return torch.cholesky_inverse(torch.linalg.cholesky(hessians + ridge[:, None, None] * eye))
