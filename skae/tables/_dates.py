"""Columns of dates, times and durations as whole numbers of their own units, and back."""

from typing import Any

import numpy as np

_NO_TIME = np.iinfo(np.int64).min  # what pandas has in place of a missing one


def is_date(dtype: Any) -> bool:
    """Tell whether a column holds dates, times, durations or periods.

    Parameters
    ----------
    dtype : numpy, pandas or polars dtype, or object
        The type of the column.

    Returns
    -------
    bool
        Whether it does.
    """
    if hasattr(dtype, "is_temporal"):  # polars
        return dtype.is_temporal()
    return (
        getattr(dtype, "kind", None) in ("m", "M") or _is_period(dtype) or _arrow_width(dtype) > 0
    )


def ticks_of(column: Any, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a column of dates as whole numbers.

    Parameters
    ----------
    column : pandas or polars series of shape (n_samples,)
        Dates of any kind that can be converted into `dtype`.
    dtype : pandas or polars dtype
        The type whose units the numbers are in.

    Returns
    -------
    ticks : ndarray of shape (n_samples,) of int64
        Numbers of units since the origin of the type.
    missing : ndarray of shape (n_samples,) of bool
        Where there is none.
    """
    if hasattr(dtype, "is_temporal"):
        column = column.cast(dtype).to_physical()
        return column.fill_null(0).to_numpy().astype(np.int64), column.is_null().to_numpy()
    column = column.astype(dtype)
    missing = column.isna().to_numpy()
    if width := _arrow_width(dtype):
        ticks = column.astype(f"int{width}[pyarrow]").to_numpy(dtype=np.int64, na_value=0)
    else:
        ticks = column.array.asi8
    return ticks, missing


def dates_of(ticks: np.ndarray, missing: np.ndarray, dtype: Any) -> Any:
    """Return whole numbers as a column of dates.

    Parameters
    ----------
    ticks : ndarray of shape (n_samples,) of int64
        As from :func:`ticks_of`.
    missing : ndarray of shape (n_samples,) of bool
        Where there is none.
    dtype : pandas or polars dtype
        The type of the column.

    Returns
    -------
    pandas or polars series of shape (n_samples,)
        The dates.
    """
    if hasattr(dtype, "is_temporal"):
        import polars as pl

        values = pl.DataFrame({"ticks": ticks, "missing": missing})
        return values.select(pl.when(~pl.col("missing")).then("ticks")).to_series().cast(dtype)
    import pandas as pd

    if width := _arrow_width(dtype):
        whole = pd.Series(ticks, dtype="Int64").mask(missing)
        return whole.astype(f"int{width}[pyarrow]").astype(dtype)
    ticks = np.where(missing, _NO_TIME, ticks)
    if _is_period(dtype):
        return pd.Series(pd.PeriodIndex.from_ordinals(ticks, freq=dtype.freq))
    return pd.Series(ticks).astype(dtype)


def _is_period(dtype: Any) -> bool:
    return type(dtype).__name__ == "PeriodDtype"


def _arrow_width(dtype: Any) -> int:
    """Return the number of bits of a type of Arrow's for dates or times, 0 of any other."""
    arrow = getattr(dtype, "pyarrow_dtype", None)
    if arrow is None or not str(arrow).startswith(("date", "duration", "time")):
        return 0
    return arrow.bit_width
