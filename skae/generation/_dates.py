"""Dates that users write, in the numbers of matrices."""

from typing import Any

from ..tables import FrameFormat
from ..tables._series import days_of


def number_of_date(form: FrameFormat, j: int, value: Any) -> float:
    """Return the number of a date, time, duration or period.

    Parameters
    ----------
    form : FrameFormat
        Of the training data.
    j : int
        Position of the column.
    value : object
        The date, or text that says it.

    Returns
    -------
    float
        Counted as in matrices.

    Raises
    ------
    ValueError
        If it can't be converted into the dtype of the column.
    """
    assert form.names is not None  # or there are no dates
    name, dtype = form.names[j], form.dtypes[j]
    try:
        if form.container == "polars":
            import polars as pl

            column: Any = pl.Series(name, [value])
            if column.dtype == pl.String and dtype.is_temporal():
                column = column.str.strptime(dtype)
            column = column.cast(dtype)
        else:
            import pandas as pd

            column = pd.Series([value], dtype=object).astype(dtype)
        return float(days_of(column, name, dtype, *form.dates[j])[0])
    except Exception as error:  # pandas and polars have many kinds
        raise ValueError(f"{value!r} can't be read as {dtype}") from error
