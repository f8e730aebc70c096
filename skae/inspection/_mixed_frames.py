"""Frames with columns that hold no numbers: their cells as they are, and as places in a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..metrics._checks import is_frame, kind_of_column
from ..metrics._common_frame import column_values
from ._common import check_rows, check_same_shape


def is_mixed(X: Any) -> bool:
    """Tell whether a frame has columns that hold no numbers."""
    return is_frame(X) and any(kind_of_column(X[name]) != "f" for name in X.columns)


def as_frame(X: Any) -> Any:
    """Return a table of Arrow as a frame of pandas, anything else as it is."""
    return X.to_pandas() if hasattr(X, "to_pandas") and hasattr(X, "schema") else X


def check_cells(X: ArrayLike, name: str, *, allow_nan: bool = False) -> NDArray:
    """Return rows as a dense array: float64, or the objects of a frame with other columns."""
    X = as_frame(X)
    if not is_mixed(X):
        return check_rows(X, name, allow_nan=allow_nan)
    cells = np.empty(X.shape, dtype=object)
    for j, column in enumerate(X.columns):
        cells[:, j] = X[column].to_list()
    return cells


def places(X: Any, X_reconstructed: Any) -> tuple[NDArray, NDArray, NDArray[np.str_]]:
    """Return both frames as numbers, and what is written beside the cells of categories.

    Categories are at 0, those that come back as another one at 1 then.
    """
    check_same_shape(X=X, X_reconstructed=X_reconstructed)
    before, after = np.empty((2, *X.shape))
    texts = np.full(X.shape, "", dtype=object)
    for j, name in enumerate(X.columns):
        kind = kind_of_column(X[name])
        values, back = (column_values(each[name], kind) for each in (X, X_reconstructed))
        if kind in "fMm":
            before[:, j], after[:, j] = values, back
            continue
        missing = np.array([value is None for value in values], dtype=bool)
        differs = values != back
        before[:, j] = np.where(missing, np.nan, 0)
        after[:, j] = np.where(missing, 0, differs)
        texts[:, j] = [
            f"{'missing' if was is None else was} \N{RIGHTWARDS ARROW} {now}"
            if unlike
            else str(now)
            for was, now, unlike in zip(values, back, differs, strict=True)
        ]
    return before, after, texts


def columns_as_numbers(X: Any) -> NDArray[np.float64]:
    """Return a frame as numbers, zeros for columns of categories."""
    numbers = np.zeros(X.shape)
    for j, name in enumerate(X.columns):
        kind = kind_of_column(X[name])
        if kind in "fMm":
            numbers[:, j] = column_values(X[name], kind)
    return numbers
