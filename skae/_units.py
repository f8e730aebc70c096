"""Units: what rows are measured in, where a network is not to depend on those of the data.

On the ground floor beside `_shapes`: numpy and scipy only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

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


@dataclass(frozen=True)
class Summary:
    """What a fit has to know of all values, from one pass over blocks of rows.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
        Of the finite values of each column, float64.
    squares : float
        Sum of the squared distances of finite values from the means of their columns.
    low, high : float
        Least and greatest value, but for NaN.
    n_low, n_high : int
        How many cells hold them.
    nan, infinite : tuple of three ints, or None
        Block, row within it, and column of the first NaN, and of the first infinite value.
    """

    mean: NDArray
    squares: float
    low: float
    high: float
    n_low: int
    n_high: int
    nan: tuple[int, int, int] | None
    infinite: tuple[int, int, int] | None

    @classmethod
    def of(cls, blocks: Iterable[NDArray], n_features: int) -> Self:
        """Summarise blocks of rows.

        Parameters
        ----------
        blocks : iterable of ndarray of shape (n_rows, n_features)
            The rows; numbers of any dtype.
        n_features : int
            Number of columns.

        Returns
        -------
        Summary
            The sums of blocks are put together as in Chan, Golub and LeVeque, "Algorithms for
            computing the sample variance" (The American Statistician 37, 1983).
        """
        count, mean, squares = np.zeros((3, n_features))
        low, high, n_low, n_high = np.inf, -np.inf, 0, 0
        first: dict[str, tuple[int, int, int]] = {}
        for i, block in enumerate(blocks):
            for start, part in zip(_starts(block), chunks_of(block), strict=True):
                values, finite = part.astype(np.float64), np.isfinite(part)
                if not finite.all():
                    for name, is_bad in (("nan", np.isnan(part)), ("infinite", np.isinf(part))):
                        if name not in first and is_bad.any():
                            row, column = np.argwhere(is_bad)[0]
                            first[name] = i, start + int(row), int(column)
                lowest, highest = np.fmin.reduce(part, None), np.fmax.reduce(part, None)
                if lowest <= low:
                    n_low = np.count_nonzero(part == lowest) + (n_low if lowest == low else 0)
                if highest >= high:
                    n_high = np.count_nonzero(part == highest) + (n_high if highest == high else 0)
                low, high = min(low, float(lowest)), max(high, float(highest))
                n = finite.sum(0)
                with np.errstate(invalid="ignore", over="ignore"):
                    own = values.sum(0, where=finite) / np.maximum(n, 1)
                    values -= own
                    np.square(values, out=values)
                    total = count + n
                    step = (own - mean) * (n / np.maximum(total, 1))
                    squares += values.sum(0, where=finite) + step * (own - mean) * count
                mean, count = mean + step, total
        return cls(
            mean,
            float(squares.sum()),
            low,
            high,
            int(n_low),
            int(n_high),
            **{name: first.get(name) for name in ("nan", "infinite")},
        )


def _starts(X: Any) -> range:
    """Return where the chunks of an array start."""
    return range(0, X.shape[0], max(1, _CELLS_OF_A_CHUNK // max(1, X.shape[1])))


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
    starts = _starts(X)
    for start in starts:
        chunk = X[start : start + starts.step]
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
    if weights is None and (summary := getattr(X, "summary", None)) is not None:
        return summary.mean, _scale(summary.mean, summary.squares, n_rows * n_features)
    sums: Any = 0.0
    for chunk, w in _weighted_chunks(X, weights):
        sums = sums + (chunk if w is True else w * chunk).sum(0, dtype=np.float64)
    mean, total = sums / n_rows, 0.0
    for chunk, w in _weighted_chunks(X, weights):
        squares = np.square(np.subtract(chunk, mean, dtype=np.float64))
        total += float((squares if w is True else w * squares).sum())
    return mean, _scale(mean, total, n_rows * n_features)


def _scale(mean: NDArray, squares: float, n_cells: float) -> float:
    """Return the root of a mean square, or what stands for it where data are constant."""
    largest = float(np.abs(mean).max())
    scale = (squares / n_cells) ** 0.5
    # Means are rounded, so a constant column may seem to vary in its last digit.
    if scale <= 4 * np.finfo(np.float64).eps * largest:
        scale = largest
    return scale or 1.0


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
    if weights is None and (summary := getattr(X, "summary", None)) is not None:
        is_common = low < high and min(summary.n_low, summary.n_high) >= X.shape[1]
        return (low, high) if is_common else None
    n_low: Any = 0
    n_high: Any = 0
    for chunk, w in _weighted_chunks(X, weights):
        is_low, is_high = chunk == low, chunk == high
        n_low += np.count_nonzero(is_low) if w is True else (w * is_low).sum()
        n_high += np.count_nonzero(is_high) if w is True else (w * is_high).sum()
        if low < high and min(n_low, n_high) >= X.shape[1]:
            return low, high
    return None
