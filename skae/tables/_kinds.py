"""What kinds of columns a matrix has."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._series import refuse_empty

_MOST_DECIMALS = 6
_FIRST_ROWS = 100  # tell most columns of numbers from binary ones, without a mask of all cells


def observed(x: np.ndarray) -> np.ndarray:
    """Return the values of a column that are not missing.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The column.

    Returns
    -------
    ndarray of shape (n_observed,)
        Those that are not NaN.
    """
    return with_weights(x)[0]


def with_weights(
    x: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the values of a column that are not missing, with the weights of their rows.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The column.
    weights : ndarray of shape (n_samples,) or None, default=None
        How often each row counts; None for once.

    Returns
    -------
    values : ndarray of shape (n_observed,)
        Those that are not NaN.
    weights : ndarray of shape (n_observed,) or None
        Their weights.
    """
    missing = np.isnan(x)
    if not missing.any():
        return x, weights
    return x[~missing], None if weights is None else weights[~missing]


def looked_at(
    X: np.ndarray, names: Sequence[Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return what decides of which kind columns are.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Training data.
    names : sequence
        Names of the columns, for messages.

    Returns
    -------
    low, high : ndarray of shape (n_columns,)
        Least and greatest value of each.
    is_incomplete : ndarray of shape (n_columns,) of bool
        Whether values are missing.
    is_binary : ndarray of shape (n_columns,) of bool
        Whether none is missing and there are at most two different ones.

    Raises
    ------
    ValueError
        If a column has no values.
    """
    low, high = X.min(axis=0), X.max(axis=0)
    is_incomplete = np.isnan(low)
    for j in np.flatnonzero(is_incomplete).tolist():
        values = observed(X[:, j])
        if not len(values):
            refuse_empty(names[j], len(X))
        low[j], high[j] = values.min(), values.max()
    few = X[:_FIRST_ROWS]
    is_binary = ((few == low) | (few == high)).all(axis=0)
    for j in np.flatnonzero(is_binary).tolist():
        is_binary[j] = ((X[:, j] == low[j]) | (X[:, j] == high[j])).all()
    return low, high, is_incomplete, is_binary


def means_and_unit(
    X: np.ndarray, numbers: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Return the means of columns, and the root of their mean variance.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Training data.
    numbers : ndarray of int
        Positions of some columns.
    weights : ndarray of shape (n_samples,) or None, default=None
        How often each row counts; None for once.

    Returns
    -------
    means : ndarray of shape (n_numbers,)
        Float64.
    unit : float
        1 if none varies.
    """
    means, variances = np.empty((2, len(numbers)))
    for i, j in enumerate(numbers):
        x, w = with_weights(X[:, j], weights)
        means[i], variances[i] = mean_and_variance(x.astype(np.float64), w)
    return means, float(variances.mean() ** 0.5) or 1.0


def mean_and_variance(x: np.ndarray, weights: np.ndarray | None) -> tuple[float, float]:
    """Return the mean and the variance of values.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        Values.
    weights : ndarray of shape (n_samples,) or None
        How often each counts; None for once.

    Returns
    -------
    tuple of two floats
        Both.
    """
    if weights is None:
        return x.mean(), x.var()
    mean = np.average(x, weights=weights)
    return mean, np.average((x - mean) ** 2, weights=weights)


def share_a_range(low: np.ndarray, high: np.ndarray) -> bool:
    """Tell the columns of images from those of tables.

    Parameters
    ----------
    low, high : ndarray of shape (n_columns,)
        Least and greatest value of each.

    Returns
    -------
    bool
        Whether most columns reach over most of the range of all.
    """
    if not len(low):
        return False
    least, width = low.min(), high.max() - low.min()
    reach = (low <= least + 0.4 * width) & (high >= least + 0.6 * width)
    return bool(reach.mean() >= 0.75)


def one_hot_groups(X: np.ndarray, binary: np.ndarray) -> list[list[int]]:
    """Return runs of neighbouring binary columns of which exactly one is 1 in every row.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Training data.
    binary : ndarray of int
        Positions of columns of at most two values.

    Returns
    -------
    list of list of int
        Positions of the columns of each run.
    """
    groups: list[list[int]] = []
    run: list[int] = []
    total = np.zeros(len(X))
    for j in binary.tolist():
        column = X[:, j]
        if column.min() != 0 or column.max() != 1 or (run and j != run[-1] + 1):
            run, total = [], np.zeros(len(X))
        if column.min() != 0 or column.max() != 1:
            continue
        run.append(j)
        total = total + column
        while total.max() > 1:  # what stands left of a group is none of its columns
            total = total - X[:, run.pop(0)]
        if len(run) > 1 and total.min() == 1:
            groups.append(run)
            run, total = [], np.zeros(len(X))
    return groups


def decimals_of(x: np.ndarray) -> int:
    """Return how many decimals the numbers of a column have.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The column, NaN where values are missing.

    Returns
    -------
    int
        -1 for more than six, or more than their dtype can tell.
    """
    x = observed(x)
    rounding = 2 * np.finfo(x.dtype).eps * np.abs(x, dtype=np.float64)
    x = x.astype(np.float64)
    for n in range(_MOST_DECIMALS + 1):
        if np.median(rounding) > 0.01 * 10.0**-n:
            break
        if (np.abs(x - x.round(n)) <= rounding).all():
            return n
    return -1
