"""Two frames as one, in which a row's column types no longer tell which frame it is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._dataframe import is_pandas_df

if TYPE_CHECKING:
    import pandas as pd

_MAX_CATEGORIES = 255  # more are too many for HistGradientBoostingClassifier
_CATEGORIES = {"string", "integer", "floating", "mixed-integer-float", "boolean", "empty"}


def common_frame(X: pd.DataFrame, Y: pd.DataFrame) -> pd.DataFrame:
    """Stack two frames.

    Parameters
    ----------
    X, Y : pandas DataFrame
        Frames with the same columns, in any order.

    Returns
    -------
    pandas DataFrame
        The rows of `X`, then those of `Y`. Its columns are float64 or categories.

    Raises
    ------
    ValueError
        If the columns are not the same.
    """
    import pandas as pd

    for frame, name in ((X, "X"), (Y, "Y")):
        twice = list(frame.columns[frame.columns.duplicated()])
        if twice:
            raise ValueError(f"The columns of {name} must have different names, twice: {twice}.")
    only_X = [name for name in X.columns if name not in Y.columns]
    only_Y = [name for name in Y.columns if name not in X.columns]
    if only_X or only_Y:
        raise ValueError(
            f"X and Y must have the same columns, only X has {only_X} and only Y has {only_Y}."
        )
    if not len(X.columns):
        raise ValueError("X and Y must have columns, got 0 of them.")
    return pd.DataFrame({name: _common_column(X[name], Y[name]) for name in X.columns})


def _common_column(x: pd.Series, y: pd.Series) -> pd.Series:
    """Stack two columns, as float64 or as categories."""
    import pandas as pd

    both = (x, y)
    if all(pd.api.types.is_numeric_dtype(column) for column in both):
        floats = [column.to_numpy(dtype=np.float64, na_value=np.nan) for column in both]
        return pd.Series(np.concatenate(floats))
    kind = x.dtype.kind
    if kind in "mM" and y.dtype.kind == kind:  # durations or dates, in microseconds
        times = np.concatenate([column.to_numpy(dtype=f"{kind}8[us]") for column in both])
        return pd.Series(np.where(np.isnat(times), np.nan, times.astype(np.int64)))

    values = pd.Series(np.concatenate([column.to_numpy(dtype=object) for column in both]))
    # Kinds that have no order between them can't be encoded.
    if pd.api.types.infer_dtype(values, skipna=True) not in _CATEGORIES:
        values = values.map(str, na_action="ignore")
    return values.astype("category")


def suited_to_trees(rows: Any) -> Any:
    """Rewrite what histogram-based trees refuse, at no cost to what they can tell.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features) or pandas DataFrame
        Numbers, or the columns of :func:`common_frame`.

    Returns
    -------
    ndarray of shape (n_samples, n_features) or pandas DataFrame
        The same without columns of very many categories, or of hardly any numbers.
    """
    if not is_pandas_df(rows):
        return np.column_stack([_filled(column) for column in rows.T])
    return rows.apply(_suited_column)


def _suited_column(column: pd.Series) -> pd.Series:
    if column.dtype != "category":
        return column.__class__(_filled(column.to_numpy()))
    if len(column.cat.categories) <= _MAX_CATEGORIES:
        return column
    # Unlike codes, counts don't depend on which sample comes first.
    return column.map(column.value_counts()).astype(np.float64)


def _filled(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a number in the place of NaN if most are: in a fold, all might be, which trees refuse."""
    missing = np.isnan(column)
    if missing.mean() <= 0.5:
        return column
    lowest = np.min(column, where=~missing, initial=0.0)
    return np.where(missing, 2 * lowest - 1, column)
