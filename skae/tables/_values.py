"""Columns of a matrix as the values of a frame that they stand for."""

import re
from typing import Any

import numpy as np

from ._dates import dates_of
from ._objects import objects_of
from ._series import is_whole


def values_of(
    x: np.ndarray,
    dtype: Any,
    categories: list | None,
    calendar: tuple[int, int] | None,
    content: tuple,
) -> Any:
    """Return the values that a column of a matrix stands for.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        Numbers, positions of categories, or dates counted from the first one.
    dtype : pandas or polars dtype
        That of the values, or of what objects are converted into.
    categories : list or None
        The categories; None if there are none.
    calendar : tuple of two int, or None
        The first date, and the unit; None if there are none.
    content : tuple
        Of columns of objects, as of :func:`content_of`.

    Returns
    -------
    ndarray, list or series of shape (n_samples,)
        The values.
    """
    if categories is not None:
        known = [*categories, None]
        places = np.where(np.isnan(x), -1, x).clip(max=len(categories))
        return [known[int(i)] for i in places]
    values: Any = x.round() if is_whole(dtype) else x
    if is_whole(dtype) and (whole := re.match(r"u?int(8|16|32|64)\b", str(dtype).lower())):
        values = values.clip(*limits_of(np.dtype(whole[0])))
    if calendar is not None:
        origin, unit = calendar
        missing = np.isnan(x)
        ticks = np.where(missing, 0, x).round().astype(np.int64) * unit + origin
        values = dates_of(ticks, missing, dtype)
    if not content:
        return values
    import pandas as pd

    return objects_of(pd.Series(values), content)


def rounded_to(matrix: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return a matrix as whole numbers within the range of their type.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_columns)
        Numbers.
    dtype : dtype
        A type of whole numbers.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)
        Of that type.
    """
    return matrix.round().clip(*limits_of(dtype)).astype(dtype)


def limits_of(dtype: np.dtype) -> tuple[float, float]:
    """Return the range of a type of whole numbers, as floats that it holds.

    Parameters
    ----------
    dtype : dtype
        A type of whole numbers.

    Returns
    -------
    low, high : float
        The greatest whole number of 64 bits is no float, and the nearest one is too large.
    """
    limits = np.iinfo(dtype)
    high = float(limits.max)
    return float(limits.min), high if int(high) <= limits.max else float(np.nextafter(high, 0))


def equals(value: Any, sentinel: Any) -> bool:
    """Tell whether a value stands for a missing one.

    Parameters
    ----------
    value : object
        Of a cell.
    sentinel : object
        What stands for a missing one; None if nothing does.

    Returns
    -------
    bool
        Whether it does.
    """
    return sentinel is not None and value is not None and bool(value == sentinel)


def without(column: Any, sentinel: Any) -> Any:
    """Return a column of objects with nothing in place of those that stand for missing ones.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        Objects.
    sentinel : object
        What stands for a missing one; None if nothing does.

    Returns
    -------
    pandas.Series of shape (n_samples,)
        The column.
    """
    if sentinel is None:
        return column
    return column.mask([equals(value, sentinel) for value in column])
