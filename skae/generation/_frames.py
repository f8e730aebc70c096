"""Data frames with categories as matrices of numbers, and back."""

from typing import Any

import numpy as np


class FrameFormat:
    """What came in: an array or a frame, its columns, dtypes and categories.

    Parameters
    ----------
    X : array-like or pandas or polars data frame of shape (n_samples, n_columns)
        Training data.

    Attributes
    ----------
    categories : dict of int to list
        The values of columns that are not numbers, by their positions.
    """

    def __init__(self, X: Any) -> None:
        self.categories: dict[int, list] = {}
        self.container = ""
        self.dtypes: list[Any] = [getattr(X, "dtype", None)]
        if not is_frame(X):
            return
        self.container = type(X).__module__.partition(".")[0]
        self.names = list(X.columns)
        if twice := sorted({str(name) for name in self.names if self.names.count(name) > 1}):
            raise ValueError(f"column names must differ, but {twice} occur more than once")
        self.dtypes = [X[name].dtype for name in self.names]
        for j, (name, dtype) in enumerate(zip(self.names, self.dtypes, strict=True)):
            if _is_date(dtype):
                raise ValueError(
                    f"column {name!r} has dtype {dtype}: turn dates into numbers or categories"
                )
            if not _is_number(dtype):
                self.categories[j] = sorted(set(_values(X[name])), key=_order)

    def matrix(self, X: Any) -> Any:
        """Return numbers for a frame with categories, anything else as it is.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_columns)
            Data.

        Returns
        -------
        array-like of shape (n_samples, n_columns)
            With the positions of categories in `categories`.

        Raises
        ------
        ValueError
            If there is a category that was not among the training data.
        """
        if not self.categories or not is_frame(X):
            return X
        matrix = np.empty(X.shape)
        for j, name in enumerate(self.names):
            if j not in self.categories:
                matrix[:, j] = np.asarray(X[name], dtype=np.float64)
                continue
            number = {value: i for i, value in enumerate(self.categories[j])}
            values = _values(X[name])
            if unknown := {value for value in values if value not in number}:
                raise ValueError(
                    f"column {name!r} has values that were not in the training data: "
                    f"{sorted(unknown, key=_order)[:5]}"
                )
            matrix[:, j] = [number[value] for value in values]
        return matrix

    def rounded(self, matrix: np.ndarray) -> np.ndarray:
        """Round the columns that came in as whole numbers.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, n_columns)
            As from :meth:`matrix`.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            The matrix, changed in place.
        """
        if not self.container:
            return matrix.round(out=matrix) if _is_whole(self.dtypes[0]) else matrix
        for j, dtype in enumerate(self.dtypes):
            if j not in self.categories and _is_whole(dtype):
                matrix[:, j] = matrix[:, j].round()
        return matrix

    def restore(self, matrix: np.ndarray) -> Any:
        """Return rows in the form of the training data.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, n_columns)
            As from :meth:`matrix`.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_columns)
            With the dtypes, and in a frame the names and categories, that came in.
        """
        if not self.container:
            dtype = self.dtypes[0]
            if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf":
                return matrix
            return _rounded(matrix, dtype) if dtype.kind in "iu" else matrix.astype(dtype)
        columns: dict[Any, Any] = {}
        for j, (name, dtype) in enumerate(zip(self.names, self.dtypes, strict=True)):
            if j in self.categories:
                values = self.categories[j]
                columns[name] = [values[int(i)] for i in matrix[:, j]]
            else:
                columns[name] = matrix[:, j].round() if _is_whole(dtype) else matrix[:, j]
        if self.container == "polars":
            import polars as pl

            return pl.DataFrame(
                [
                    pl.Series(name, values, strict=False).cast(dtype)
                    for (name, values), dtype in zip(columns.items(), self.dtypes, strict=True)
                ]
            )
        import pandas as pd

        return pd.DataFrame(
            {
                name: pd.Series(values, dtype=dtype)
                if j in self.categories
                else pd.Series(values).astype(dtype)
                for j, ((name, values), dtype) in enumerate(
                    zip(columns.items(), self.dtypes, strict=True)
                )
            },
            columns=self.names,
        )


def is_frame(X: Any) -> bool:
    """Tell whether something is a data frame of pandas or polars."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def _is_number(dtype: Any) -> bool:
    if hasattr(dtype, "is_numeric"):  # polars
        return dtype.is_numeric() or str(dtype) == "Boolean"
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biuf"
    return getattr(dtype, "_is_numeric", False) or getattr(dtype, "_is_boolean", False)


def _is_whole(dtype: Any) -> bool:
    return "int" in str(dtype).lower() or "bool" in str(dtype).lower()


def _is_date(dtype: Any) -> bool:
    return getattr(dtype, "kind", None) in ("m", "M") or getattr(dtype, "is_temporal", bool)()


def _values(column: Any) -> list:
    """Return the values of a column, None for all that is missing."""
    missing = column.isna() if hasattr(column, "isna") else column.is_null()
    return [
        None if is_missing else value
        for value, is_missing in zip(column.to_list(), missing.to_list(), strict=True)
    ]


def _order(value: Any) -> tuple[bool, str, Any]:
    """Sort by type and value, what is missing last."""
    return value is None, type(value).__name__, "" if value is None else value


def _rounded(matrix: np.ndarray, dtype: np.dtype) -> np.ndarray:
    limits = np.iinfo(dtype)
    return matrix.round().clip(limits.min, limits.max).astype(dtype)
