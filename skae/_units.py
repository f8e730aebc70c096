"""Units: what rows are measured in, where a network is not to depend on those of the data.

On the ground floor beside `_shapes`: numpy and scipy only.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ._plain import registered

_CELLS_OF_A_CHUNK = 2**18


@registered
class Units:
    """An origin for every column, and one length for all.

    Parameters
    ----------
    offset : ndarray of shape (n_features,)
        What is subtracted from the rows, float64.
    scale : float, default=1.0
        What they are divided by then.
    code : float, default=1.0
        The code in the units of the data that a code of one stands for.
    error : float, default=1.0
        The same of a loss.
    """

    offset: NDArray
    scale: float = 1.0
    code: float = 1.0
    error: float = 1.0

    def apply(self, X: NDArray) -> NDArray:
        """Return rows in these units.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Numbers of any dtype.

        Returns
        -------
        ndarray of shape (n_rows, n_features)
            Float64, and only then to be cast: a large offset would take the digits of what varies.
        """
        rows = np.subtract(X, self.offset, dtype=np.float64)
        rows /= self.scale
        return rows

    def undo(self, X: NDArray) -> NDArray:
        """Return rows in the units of the data.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows in these units.

        Returns
        -------
        ndarray of shape (n_rows, n_features)
            Float64.
        """
        rows = np.multiply(X, self.scale, dtype=np.float64)
        rows += self.offset
        return rows


def chunks_of(X: Any) -> Iterator[NDArray]:
    """Yield the rows of an array, some at a time, dense.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_rows, n_features)
        Data.

    Yields
    ------
    ndarray
        About a quarter of a million cells, of the dtype of `X`.
    """
    n_rows = max(1, _CELLS_OF_A_CHUNK // max(1, X.shape[1]))
    for start in range(0, X.shape[0], n_rows):
        chunk = X[start : start + n_rows]
        # Sums round alike whatever the layout in memory.
        yield np.ascontiguousarray(chunk.toarray() if sparse.issparse(chunk) else chunk)


def float_dtype(X: Any) -> np.dtype:
    """Return the dtype of what an estimator returns.

    Parameters
    ----------
    X : ndarray or CSR matrix or array
        What it was given, checked.

    Returns
    -------
    dtype
        Float64, or float32 if `X` is.
    """
    return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)


def _weighted_chunks(X: Any, weights: NDArray | None) -> Iterator[tuple[NDArray, Any]]:
    """Yield the rows of an array, some at a time, with their weights; True for each without."""
    start = 0
    for chunk in chunks_of(X):
        stop = start + len(chunk)
        yield chunk, True if weights is None else weights[start:stop, None]
        start = stop


def mean_and_scale(X: Any, weights: NDArray | None = None) -> tuple[NDArray, float]:
    """Return the means of the columns, and the root of the mean of their variances.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_rows, n_features)
        Data.
    weights : ndarray of shape (n_rows,) or None, default=None
        How often each row counts; None for once.

    Returns
    -------
    mean : ndarray of shape (n_features,)
        Float64.
    scale : float
        Positive; of constant data their own size, or 1 if they are all zero.
    """
    n_rows, n_features = X.shape
    n_rows = n_rows if weights is None else float(weights.sum())
    sums: Any = 0.0
    for chunk, w in _weighted_chunks(X, weights):
        sums = sums + (chunk if w is True else w * chunk).sum(0, dtype=np.float64)
    mean, total = sums / n_rows, 0.0
    for chunk, w in _weighted_chunks(X, weights):
        squares = np.square(np.subtract(chunk, mean, dtype=np.float64))
        total += float((squares if w is True else w * squares).sum())
    largest = float(np.abs(mean).max())
    scale = (total / (n_rows * n_features)) ** 0.5
    # Means are rounded, so a constant column may seem to vary in its last digit.
    if scale <= 4 * np.finfo(np.float64).eps * largest:
        scale = largest
    return mean, scale or 1.0


def common_limits(X: Any, weights: NDArray | None = None) -> tuple[float, float] | None:
    """Return the limits that the values of all columns have in common, if there seem to be any.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_rows, n_features)
        Data.
    weights : ndarray of shape (n_rows,) or None, default=None
        How often each row counts; None for once.

    Returns
    -------
    tuple of two floats or None
        The lowest and the highest value, if each of them is found in as many cells as there are
        columns: in pixels, shares and grades, but not in measurements.
    """
    low, high = float(X.min()), float(X.max())
    n_low: Any = 0
    n_high: Any = 0
    for chunk, w in _weighted_chunks(X, weights):
        is_low, is_high = chunk == low, chunk == high
        n_low += np.count_nonzero(is_low) if w is True else (w * is_low).sum()
        n_high += np.count_nonzero(is_high) if w is True else (w * is_high).sum()
        if low < high and min(n_low, n_high) >= X.shape[1]:
            return low, high
    return None
