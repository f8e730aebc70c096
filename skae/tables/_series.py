"""A column of a frame as numbers: what kinds there are, and what is refused, by its name."""

import math
from typing import Any

import numpy as np

from ._dates import is_date, ticks_of

_FEWEST_ROWS = 10  # that tell names of rows from categories


def is_number(dtype: Any) -> bool:
    """Tell whether a column holds numbers or truth values.

    Parameters
    ----------
    dtype : numpy, pandas or polars dtype, or object
        The type of the column.

    Returns
    -------
    bool
        Whether it does.
    """
    if hasattr(dtype, "is_numeric"):  # polars
        return dtype.is_numeric() or is_boolean(dtype)
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biuf"
    is_plain = getattr(dtype, "_is_numeric", False) or getattr(dtype, "_is_boolean", False)
    # Of pandas, categories that are truth values are said to be such.
    return is_plain and str(dtype) != "category" and not is_date(dtype)


def is_boolean(dtype: Any) -> bool:
    """Tell whether a column holds truth values.

    Parameters
    ----------
    dtype : numpy, pandas or polars dtype, or object
        The type of the column.

    Returns
    -------
    bool
        Whether it does.
    """
    return "bool" in str(dtype).lower()


def is_whole(dtype: Any) -> bool:
    """Tell whether a column of numbers holds whole ones or truth values.

    Parameters
    ----------
    dtype : numpy, pandas or polars dtype, or object
        The type of the column.

    Returns
    -------
    bool
        Whether it does.
    """
    return "int" in str(dtype).lower() or is_boolean(dtype)


def is_missing(column: Any) -> np.ndarray:
    """Tell where a column has no value.

    Parameters
    ----------
    column : pandas or polars series of shape (n_samples,)
        The column.

    Returns
    -------
    ndarray of shape (n_samples,) of bool
        Where it has none, or NaN.
    """
    if hasattr(column, "isna"):
        missing = column.isna().to_numpy()
        if not isinstance(column.dtype, np.dtype) and getattr(column.dtype, "kind", "") == "f":
            missing = missing | np.isnan(column.to_numpy(float, na_value=np.nan))  # no NA, but NaN
        return missing
    missing = column.is_null()
    if column.dtype.is_float():
        missing |= column.is_nan().fill_null(value=True)
    return missing.to_numpy()


def numbers_of(column: Any, name: Any, allow_nan: bool = True) -> np.ndarray:
    """Return the values of a column of numbers.

    Parameters
    ----------
    column : pandas or polars series of shape (n_samples,)
        The column.
    name : object
        Its name, for messages.
    allow_nan : bool, default=True
        Whether some may be missing.

    Returns
    -------
    ndarray of shape (n_samples,)
        Float64, NaN where there is none.
    """
    dtype = getattr(column, "dtype", None)
    check_dtype(name, dtype)
    if is_date(dtype):
        raise ValueError(
            f"column {name!r} has dtype {dtype} and must hold numbers: turn dates into numbers, "
            "such as the days since the first one"
        )
    if str(dtype) in ("Int128", "UInt128"):  # of polars, which NumPy does not know
        column = column.cast(float)
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"column {name!r} must hold numbers: {error}. Leave it out, or encode it "
            "(OneHotEncoder, OrdinalEncoder); if all of it are numbers, convert it "
            "(pandas.to_numeric)"
        ) from error
    if np.isinf(values).any() or (not allow_nan and np.isnan(values).any()):
        found = "infinity" if np.isinf(values).any() else "NaN"
        raise ValueError(
            f"Input X contains {found} in column {name!r}: replace such values, or leave out "
            "their rows"
        )
    return values


def categories_of(column: Any, name: Any, with_missing: bool = True, is_sure: bool = False) -> list:
    """Return the different values of a column of categories.

    Parameters
    ----------
    column : pandas or polars series of shape (n_samples,)
        The column.
    name : object
        Its name, for messages.
    with_missing : bool, default=True
        Whether what is missing is a category too, and a column must have other values.
    is_sure : bool, default=False
        Whether a user has said that they are categories, however many there are.

    Returns
    -------
    list
        The values, sorted; None comes last and stands for what is missing.
    """
    values, distinct = _values(column, name)
    n_present, n_distinct = len(values) - values.count(None), len(distinct - {None})
    if with_missing and values and not n_present:
        refuse_empty(name, len(values))
    if n_present >= _FEWEST_ROWS and n_distinct > n_present / 2 and not is_sure:
        raise ValueError(
            f"column {name!r} has {n_distinct} different values in {n_present} rows, of dtype "
            f"{column.dtype}: they name rows and are no categories. Leave the column out, make "
            "fewer categories of it, or convert it if they are numbers or dates "
            "(pandas.to_numeric, pandas.to_datetime); column_kinds={"
            f"{name!r}: 'category'}} takes it as it is"
        )
    return sorted(distinct if with_missing else distinct - {None}, key=_order)


def positions_of(column: Any, name: Any, categories: list) -> list[float]:
    """Return which categories a column has.

    Parameters
    ----------
    column : pandas or polars series of shape (n_samples,)
        The column.
    name : object
        Its name, for messages.
    categories : list
        As of :func:`categories_of`.

    Returns
    -------
    list of float
        Their positions, NaN for other values.
    """
    number: dict[Any, float] = {value: i for i, value in enumerate(categories)}
    values, _ = _values(column, name)
    return [number.get(value, math.nan) for value in values]


def calendar_of(column: Any, name: Any, dtype: Any) -> tuple[int, int]:
    """Return what the dates of a column are counted in.

    Parameters
    ----------
    column : pandas or polars series of shape (n_samples,)
        Dates, times or durations.
    name : object
        Its name, for messages.
    dtype : pandas or polars dtype
        Its type.

    Returns
    -------
    origin : int
        The first one.
    unit : int
        The largest unit that all are multiples of from there: a day, if there are only days.
    """
    ticks, missing = ticks_of(column, dtype)
    if len(ticks) and missing.all():
        refuse_empty(name, len(ticks))
    ticks = ticks[~missing]
    if not len(ticks):
        return 0, 1
    origin = int(ticks.min())
    return origin, int(np.gcd.reduce(ticks - origin)) or 1


def days_of(column: Any, name: Any, dtype: Any, origin: int, unit: int) -> np.ndarray:
    """Return a column of dates, counted from an origin.

    Parameters
    ----------
    column : pandas or polars series of shape (n_samples,)
        Dates, times or durations.
    name : object
        Its name, for messages.
    dtype : pandas or polars dtype
        The type of the training data.
    origin, unit : int
        As of :func:`calendar_of`.

    Returns
    -------
    ndarray of shape (n_samples,)
        Float64, NaN where there is none.
    """
    if not is_date(column.dtype):
        raise ValueError(
            f"column {name!r} must hold dates of dtype {dtype}, as in the training data, but has "
            f"dtype {column.dtype}"
        )
    try:
        ticks, missing = ticks_of(column, dtype)
    except Exception as error:  # pandas and polars have many kinds
        raise ValueError(
            f"column {name!r} has dtype {column.dtype}, which can't be converted into {dtype} as "
            f"in the training data: {error}"
        ) from error
    return np.where(missing, np.nan, (ticks - origin) / unit)


def check_dtype(name: Any, dtype: Any) -> None:
    """Raise ValueError for a column of complex numbers.

    Parameters
    ----------
    name : object
        Its name, for the message.
    dtype : numpy, pandas or polars dtype, or object
        Its type.
    """
    if getattr(dtype, "kind", None) == "c":
        raise ValueError(f"Complex data not supported: column {name!r} has dtype {dtype}")


def refuse_empty(name: Any, n_rows: int) -> None:
    """Raise ValueError for a column that has no values.

    Parameters
    ----------
    name : object
        Its name, for the message.
    n_rows : int
        Number of training rows.
    """
    raise ValueError(
        f"column {name!r} has no values, they are missing in all {n_rows} rows: leave it out"
    )


def refuse_kind(name: Any, dtype: Any, kind: str, converter: str) -> None:
    """Raise ValueError for a column that is not of the kind that is wanted.

    Parameters
    ----------
    name : object
        Its name, for the message.
    dtype : object
        Its type.
    kind : str
        What it was to be.
    converter : str
        A function that makes it so.
    """
    raise ValueError(
        f"column_kinds[{name!r}]={kind!r}, but the column has dtype {dtype}: convert it "
        f"({converter})"
    )


def _values(column: Any, name: Any) -> tuple[list, set]:
    """Return the values of a column, None for all that is missing, and the set of them."""
    values = [
        None if missing else value
        for value, missing in zip(column.to_list(), is_missing(column).tolist(), strict=True)
    ]
    try:
        return values, set(values)
    except TypeError as error:
        raise ValueError(
            f"column {name!r} must hold numbers or categories, such as text: {error}"
        ) from error


def _order(value: Any) -> tuple[bool, str, Any]:
    """Sort by type and value, what is missing last."""
    return value is None, type(value).__name__, "" if value is None else value
