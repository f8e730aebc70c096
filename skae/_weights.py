"""Weights of rows: what they mean, and the rows that whole ones stand for.

On the ground floor beside `_units`: numpy and scipy only. Whole weights are counts: a row of weight
3 is that row three times. Of other weights only the ratios count, so their mean is 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ._units import chunks_of

_LARGEST_WHOLE = 2**53
_MOST_CELLS = 2**25


def are_whole(weights: NDArray) -> bool:
    """Tell whether weights are counts of rows.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,)
        Weights.

    Returns
    -------
    bool
        Whether all are whole numbers, and not so large that every number is.
    """
    return bool((weights == np.floor(weights)).all() and weights.max() < _LARGEST_WHOLE)


def as_evidence(weights: NDArray) -> NDArray:
    """Return how many rows each row stands for.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,)
        Positive weights.

    Returns
    -------
    ndarray of shape (n_rows,)
        Whole weights as they are, others with the mean 1.
    """
    if are_whole(weights):
        return weights
    scaled = weights / weights.max()  # so that no sum overflows
    return scaled / scaled.mean()


def weighted_mean(values: NDArray, weights: NDArray | None = None) -> float:
    """Return the mean of what rows have.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Their values.
    weights : ndarray of shape (n_rows,) or None, default=None
        Their weights; None if all count alike.

    Returns
    -------
    float
        The mean.
    """
    return float(np.mean(values) if weights is None else np.average(values, weights=weights))


def mean_row(X: NDArray, weights: NDArray | None = None) -> NDArray:
    """Return the mean of rows.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Rows.
    weights : ndarray of shape (n_rows,) or None, default=None
        Their weights; None if all count alike.

    Returns
    -------
    ndarray of shape (n_columns,)
        The mean.
    """
    return X.mean(axis=0) if weights is None else np.average(X, axis=0, weights=weights)


def drawn_positions(weights: NDArray, n: int, start: float = 0.5) -> NDArray:
    """Draw rows as often as their weights say, by steps of equal weight (systematic sampling).

    Steps go through the rows in a random order, always the same, or what comes at regular intervals
    would be drawn too often or never.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,)
        Their weights.
    n : int
        How many rows to draw. If it is the sum of whole weights, each is drawn so many times.
    start : float, default=0.5
        Where in the first step to begin, in [0, 1); a random one draws without bias.

    Returns
    -------
    ndarray of shape (n,) of int
        Positions in ascending order; each occurs as often as its share of `n` says, rounded up or
        down.
    """
    order = np.random.default_rng(0).permutation(len(weights))
    ends = np.floor(np.cumsum(weights[order]) * (n / weights.sum()) + start).astype(int)
    ends[-1] = n
    counts = np.empty(len(weights), dtype=int)
    counts[order] = np.diff(ends.clip(max=n), prepend=0)
    return np.repeat(np.arange(len(weights)), counts)


def repeated_positions(
    weights: NDArray | None, fewer_than: int, parts: list[Any], n_rows: int
) -> NDArray | None:
    """Return the rows that whole weights stand for, if there are few of them.

    Equal rows come together, in the order of their values, whatever unit and origin these have. So
    rows that are repeated and rows that have weights give the same, in whatever order they come.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,) or None
        Positive weights; None for 1.
    fewer_than : int
        The number from which on there are many rows.
    parts : list of ndarray or CSR matrix or array of n_rows rows
        What rows are made of.
    n_rows : int
        How many rows there are.

    Returns
    -------
    ndarray of int or None
        Positions; None if rows are to stay as they are, with their weights.
    """
    total = n_rows if weights is None else weights.sum()
    n_cells = sum(part.size for part in parts) * (total / n_rows)
    if total >= fewer_than or n_cells > _MOST_CELLS:  # repeating them takes memory
        return None
    if weights is not None and not are_whole(weights):
        return None
    hashes = np.zeros(n_rows, np.uint64)
    for part in parts:
        hashes = hashes * np.uint64(3) + row_hashes(part)
    n_distinct = len(np.unique(hashes))
    if total == n_rows == n_distinct:
        return np.arange(n_rows) if weights is not None else None
    order = _lexical_order(parts, n_rows, n_distinct)
    return order if weights is None else np.repeat(order, weights[order].astype(int))


def _lexical_order(parts: list[Any], n_rows: int, n_distinct: int) -> NDArray:
    """Return the order of rows by their columns, the first ones first, equal rows as they come."""
    place: Any = np.zeros(n_rows, int)
    for part in parts:
        columns = part.tocsc() if sparse.issparse(part) else part
        for j in range(part.shape[1]):
            column = columns[:, [j]]
            column = column.toarray() if sparse.issparse(column) else np.asarray(column)
            ranks = np.unique(column.ravel().astype(np.float64), return_inverse=True)[1]
            values, place = np.unique(place * (ranks.max() + 1) + ranks, return_inverse=True)
            if len(values) == n_distinct:
                return np.argsort(place, kind="stable")
    return np.argsort(place, kind="stable")


def row_hashes(X: Any) -> NDArray:
    """Return a number of 64 bits for every row, the same for equal rows.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_rows, n_columns)
        Numbers; dense or sparse and of whatever type, equal numbers give the same.

    Returns
    -------
    ndarray of shape (n_rows,) of uint64
        The numbers.
    """
    random = np.random.default_rng(0)
    factors: Any = 2 * random.integers(2**63, size=X.shape[1], dtype=np.uint64) + np.uint64(1)
    if sparse.issparse(X):
        X = X.tocsr().copy()
        X.sum_duplicates()
        cells = _bits(X.data) * factors[X.indices]
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(cells, dtype=np.uint64)])
        return sums[X.indptr[1:]] - sums[X.indptr[:-1]]
    hashes = [np.empty(0, np.uint64)]
    for chunk in chunks_of(X):
        hashes.append((_bits(chunk) * factors).sum(axis=1, dtype=np.uint64))
    return np.concatenate(hashes)


def _bits(values: NDArray) -> NDArray:
    """Return the bits of numbers in float64; those of zeros are zero."""
    values = values.astype(np.float64) + 0.0  # makes -0.0 the same as 0.0
    values[np.isnan(values)] = np.nan  # there are many NaN
    bits = values.view(np.uint64)
    return bits ^ (bits >> np.uint64(32))
