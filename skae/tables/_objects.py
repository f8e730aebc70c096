"""Columns of Python objects, which have no type of their own: what they hold, and back.

Only pandas knows such columns: those of dtype object.
"""

import datetime
from decimal import Decimal
from typing import Any

import numpy as np

_PLAIN = ("string", "boolean", "bytes", "empty")  # whose values are categories as they are
_TYPED = {
    "integer": "float64",
    "floating": "float64",
    "mixed-integer-float": "float64",
    "decimal": "float64",
    "date": "datetime64[s]",
    "datetime": "datetime64[us]",
    "datetime64": "datetime64[us]",
    "time": "timedelta64[us]",
    "timedelta": "timedelta64[us]",
    "timedelta64": "timedelta64[us]",
}
_MIDNIGHT = datetime.datetime(1970, 1, 1)


def is_of_objects(dtype: Any) -> bool:
    """Tell whether a column holds objects of any kind.

    Parameters
    ----------
    dtype : numpy, pandas or polars dtype
        The type of the column.

    Returns
    -------
    bool
        Whether it does.
    """
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def content_of(column: Any, name: Any) -> tuple:
    """Return what kind of objects a column holds, if they are all of one kind.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        Of dtype object.
    name : object
        Its name, for messages.

    Returns
    -------
    tuple
        Empty for text and truth values, which are categories; else the name of the kind, and of
        Decimal the number of digits after the point.

    Raises
    ------
    ValueError
        If they are of several kinds, of several time zones, or of one that is unknown.
    """
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in _PLAIN:
        return ()
    present = column[~column.isna()]
    if kind not in _TYPED:
        found = sorted({type(value).__name__ for value in present})
        raise ValueError(
            f"column {name!r} holds Python objects of the types {found[:5]}, which are neither all "
            "text, numbers, truth values, dates, times nor durations: convert it into one of these "
            "(astype(str), pandas.to_numeric, pandas.to_datetime), or leave it out"
        )
    if kind in ("datetime", "time") and len({str(each.tzinfo) for each in present}) > 1:
        raise ValueError(
            f"column {name!r} holds times of several time zones, or of one and none: convert them "
            "into one (pandas.to_datetime(..., utc=True))"
        )
    if kind == "decimal":
        if not all(value.is_finite() for value in present):
            raise ValueError(f"column {name!r} holds Decimal values that are not finite")
        exponents = [value.as_tuple().exponent for value in present]
        return kind, max(0, -min(exponents))
    return (kind,)


def typed(column: Any, name: Any, content: tuple) -> Any:
    """Return a column of objects as one of numbers, dates or durations.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        Of objects.
    name : object
        Its name, for messages.
    content : tuple
        As of :func:`content_of` for the training data.

    Returns
    -------
    pandas.Series of shape (n_samples,)
        The same in a type of its own.

    Raises
    ------
    ValueError
        If it holds something else.
    """
    import pandas as pd

    if not is_of_objects(column.dtype):
        return column
    kind = content[0]
    found = content_of(column, name)
    if found and _TYPED[found[0]] != _TYPED[kind]:
        raise ValueError(
            f"column {name!r} must hold objects of the kind {kind!r}, as in the training data, but "
            f"holds {found[0]!r}"
        )
    values = [None if missing else v for v, missing in zip(column, column.isna(), strict=True)]
    if kind == "time":
        values = [None if v is None else _since_midnight(v) for v in values]
    elif kind == "datetime" and any(getattr(v, "tzinfo", None) for v in values):
        return pd.Series(pd.DatetimeIndex(values), index=column.index).dt.as_unit("us")
    try:
        if _TYPED[kind] == "float64":
            numbers = [np.nan if v is None else float(v) for v in values]
            return pd.Series(numbers, index=column.index, dtype="float64")
        return pd.Series(values, index=column.index, dtype=_TYPED[kind])
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"column {name!r} must hold objects of the kind {kind!r}, as in the training data: "
            f"{error}"
        ) from error


def objects_of(column: Any, content: tuple) -> list:
    """Return the objects that the values of a typed column stand for.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        As from :func:`typed`.
    content : tuple
        As of :func:`content_of`.

    Returns
    -------
    list
        The objects, None where there is none.
    """
    kind, *digits = content
    missing = column.isna()
    values = [None if is_missing else v for v, is_missing in zip(column, missing, strict=True)]

    def made(value: Any) -> Any:
        if kind == "integer":
            return round(value)
        if kind == "decimal":
            return Decimal(f"{value:.{digits[0]}f}")
        if kind == "date":
            return value.date()
        if kind == "time":
            return (_MIDNIGHT + value.to_pytimedelta()).time()
        if kind == "datetime":
            return value.to_pydatetime()
        if kind == "timedelta":
            return value.to_pytimedelta()
        return value

    return [None if value is None else made(value) for value in values]


def _since_midnight(time: datetime.time) -> datetime.timedelta:
    return datetime.datetime.combine(_MIDNIGHT, time.replace(tzinfo=None)) - _MIDNIGHT
