"""Two frames as one, in which a row's column types no longer tell which frame it is from."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import aligned_columns, kind_of_column

_MAX_CATEGORIES = 255  # more are too many for HistGradientBoostingClassifier


def common_columns(X: Any, Y: Any) -> dict[Any, NDArray]:
    """Stack two frames.

    Parameters
    ----------
    X, Y : pandas or polars DataFrame
        Frames with the same columns, in any order.

    Returns
    -------
    dict of ndarrays of shape (n_samples_X + n_samples_Y,)
        The columns by their names: first the rows of `X`, then those of `Y`. They are float64, or
        categories, namely objects that are str or, where missing, None.

    Raises
    ------
    ValueError
        If the columns are not the same.
    """
    Y = aligned_columns(X, Y, ("X", "Y"))
    if not len(X.columns):
        raise ValueError("X and Y must have columns, got 0 of them.")
    return {name: _common_column(X[name], Y[name]) for name in X.columns}


def _common_column(*both: Any) -> NDArray:
    """Stack two columns, as float64 or as categories."""
    kinds = {kind_of_column(column) for column in both}
    kind = kinds.pop() if len(kinds) == 1 else "O"
    return np.concatenate([column_values(column, kind) for column in both])


def column_values(column: Any, kind: str) -> NDArray:
    """Return the values of a frame's column.

    Parameters
    ----------
    column : pandas or polars Series of shape (n_samples,)
        The column.
    kind : {"f", "M", "m", "O"}
        What to take it for, as from :func:`~skae.metrics._checks.kind_of_column`.

    Returns
    -------
    ndarray of shape (n_samples,)
        Numbers as float64, dates and durations as microseconds of float64, or categories, namely
        objects that are str. Missing values are NaN or None.
    """
    missing = _is_missing(column)
    if kind in "mM":
        times = np.asarray(column, dtype=f"{kind}8[us]")
        return np.where(missing, np.nan, times.astype(np.int64))
    if kind == "f":
        return np.where(missing, np.nan, column.to_numpy()).astype(np.float64)
    pairs = zip(np.asarray(column, dtype=object), missing, strict=True)
    return np.array([None if gone else _label(value) for value, gone in pairs], dtype=object)


def _is_missing(column: Any) -> NDArray[np.bool_]:
    return np.asarray(column.isna() if hasattr(column, "isna") else column.is_null(), dtype=bool)


def _label(value: Any) -> str:
    """Name a category; True, 1 and 1.0 are the same."""
    return str(round(value) if isinstance(value, Real) and float(value).is_integer() else value)


def as_frame(columns: dict[Any, NDArray], like: Any) -> Any:
    """Make a frame of columns.

    Parameters
    ----------
    columns : dict of ndarrays of shape (n_samples,)
        As from :func:`common_columns`.
    like : pandas or polars DataFrame
        A frame of the wanted kind.

    Returns
    -------
    pandas or polars DataFrame
        With columns of float64, and of the library's type for categories.
    """
    frame = type(like)(columns)
    categories = [name for name, column in columns.items() if column.dtype == object]
    if hasattr(frame, "astype"):  # pandas
        return frame.astype(dict.fromkeys(categories, "category"))
    import polars as pl

    return frame.cast(dict.fromkeys(categories, pl.Categorical))


def suited_to_trees(columns: dict[Any, NDArray]) -> tuple[NDArray[np.float64], list[bool]]:
    """Make a matrix that histogram-based trees take, at no cost to what they can tell.

    Parameters
    ----------
    columns : dict of ndarrays of shape (n_samples,)
        As from :func:`common_columns`.

    Returns
    -------
    matrix : ndarray of shape (n_samples, n_features)
        Numbers; categories are numbered, very many categories are counted.
    is_category : list of bool
        Of each feature, whether it is a numbered category.
    """
    suited = [_suited_column(column) for column in columns.values()]
    matrix = np.column_stack([column for column, _ in suited])
    return matrix, [is_category for _, is_category in suited]


def _suited_column(column: NDArray) -> tuple[NDArray[np.float64], bool]:
    if column.dtype != object:
        return _filled(column), False
    known = np.array([label is not None for label in column], dtype=bool)
    labels, codes, counts = np.unique(column[known], return_inverse=True, return_counts=True)
    few = len(labels) <= _MAX_CATEGORIES
    numbers = np.full(len(column), np.nan)
    # Unlike codes, counts don't depend on which sample comes first.
    numbers[known] = codes if few else counts[codes]
    return numbers, few


def _filled(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a number in the place of NaN if most are: in a fold, all might be, which trees refuse."""
    missing = np.isnan(column)
    if missing.mean() <= 0.5:
        return column
    lowest = np.min(column, where=~missing, initial=0.0)
    return np.where(missing, 2 * lowest - 1, column)
