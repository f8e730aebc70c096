"""Data frames with categories as matrices of numbers, and back."""

from typing import Any, Self

import numpy as np

from .._plain import registered
from ._dtypes import described, dtype_of


@registered
class FrameFormat:
    """What came in: an array or a frame, its columns, dtypes and categories.

    Parameters
    ----------
    container : {"", "pandas", "polars"}
        The library of the frame; "" for an array.
    names : list or None
        Names of the columns of a frame.
    types : list of tuple
        The dtypes of the columns, or the one of an array, as of :func:`described`.
    categories : dict of int to list
        The values of columns that are not numbers, by their positions.
    """

    container: str
    names: list | None
    types: list[tuple]
    categories: dict[int, list]

    @classmethod
    def of(cls, X: Any) -> Self:
        """Learn the form of training data.

        Parameters
        ----------
        X : array-like or pandas or polars data frame of shape (n_samples, n_columns)
            Training data.

        Returns
        -------
        FrameFormat
            Their form.
        """
        refuse_lazy(X)
        if not is_frame(X):
            return cls("", None, [described(getattr(X, "dtype", None))], {})
        names = list(X.columns)
        if twice := sorted({str(name) for name in names if names.count(name) > 1}):
            raise ValueError(f"column names must differ, but {twice} occur more than once")
        dtypes = [X[name].dtype for name in names]
        categories = {}
        for j, (name, dtype) in enumerate(zip(names, dtypes, strict=True)):
            _check_dtype(name, dtype)
            if not _is_number(dtype):
                categories[j] = sorted(_values(X[name], name)[1], key=_order)
        container = type(X).__module__.partition(".")[0]
        return cls(container, names, [described(dtype) for dtype in dtypes], categories)

    @property
    def dtypes(self) -> list[Any]:
        """The dtypes of the columns, or the one of an array."""
        return [dtype_of(each) for each in self.types]

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
            If there is a category that was not among the training data, or a number that is not
            finite.
        """
        if not self.categories:
            return X
        matrix = np.empty(X.shape)
        for j, name in enumerate(X.columns):
            if j not in self.categories:
                matrix[:, j] = _finite_numbers(X[name], name)
                continue
            number = {value: i for i, value in enumerate(self.categories[j])}
            values, distinct = _values(X[name], name)
            if unknown := distinct - number.keys():
                raise ValueError(
                    f"column {name!r} has values that were not in the training data: "
                    f"{sorted(unknown, key=_order)[:5]}"
                )
            matrix[:, j] = [number[value] for value in values]
        return matrix

    def check_numbers(self, X: Any) -> None:
        """Raise ValueError that names a column if a frame has one without finite numbers.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_columns)
            Data without categories.
        """
        if is_frame(X) and self.names in (None, list(X.columns)):
            for name in X.columns:
                _finite_numbers(X[name], name)

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
        dtypes = self.dtypes
        if not self.container:
            return matrix.round(out=matrix) if _is_whole(dtypes[0]) else matrix
        for j, dtype in enumerate(dtypes):
            if j not in self.categories and _is_whole(dtype):
                matrix[:, j] = matrix[:, j].round()
        return matrix

    def restore(self, matrix: np.ndarray, like: Any = None) -> Any:
        """Return rows in the form of the training data.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, n_columns)
            As from :meth:`matrix`.
        like : object, default=None
            What the rows were made of; that of pandas gives them its index.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_columns)
            With the dtypes, and in a frame the names and categories, that came in.
        """
        dtypes = self.dtypes
        if not self.container:
            dtype = dtypes[0]
            if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf":
                return matrix
            return _rounded(matrix, dtype) if dtype.kind in "iu" else matrix.astype(dtype)
        columns: dict[Any, Any] = {}
        for j, (name, dtype) in enumerate(zip(self.names or [], dtypes, strict=True)):
            if j in self.categories:
                values = self.categories[j]
                columns[name] = [values[int(i)] for i in matrix[:, j]]
            else:
                columns[name] = matrix[:, j].round() if _is_whole(dtype) else matrix[:, j]
        if self.container == "polars":
            return _polars_frame(columns, dtypes)
        frame = _pandas_frame(columns, dtypes, self.categories.keys())
        return frame.set_axis(like.index) if isinstance(like, type(frame)) else frame


def _polars_frame(columns: dict[Any, Any], dtypes: list[Any]) -> Any:
    import polars as pl

    return pl.DataFrame(
        [
            pl.Series(name, values, strict=False).cast(dtype)
            for (name, values), dtype in zip(columns.items(), dtypes, strict=True)
        ]
    )


def _pandas_frame(columns: dict[Any, Any], dtypes: list[Any], of_categories: Any) -> Any:
    import pandas as pd

    series = {
        name: pd.Series(values, dtype=dtype)
        if j in of_categories
        else pd.Series(values).astype(dtype)
        for j, ((name, values), dtype) in enumerate(zip(columns.items(), dtypes, strict=True))
    }
    return pd.DataFrame(series, columns=list(columns))


def refuse_lazy(X: Any) -> None:
    """Raise TypeError for a frame that has not been computed yet.

    Parameters
    ----------
    X : object
        What the user gave.
    """
    if hasattr(X, "collect"):
        raise TypeError(f"X is a {type(X).__name__}: call its method collect() first")


def is_frame(X: Any) -> bool:
    """Tell whether something is a data frame of pandas or polars.

    Parameters
    ----------
    X : object
        What the user gave.

    Returns
    -------
    bool
        Whether it has named columns.
    """
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


def _check_dtype(name: Any, dtype: Any) -> None:
    if _is_date(dtype):
        raise ValueError(
            f"column {name!r} has dtype {dtype}: turn dates into numbers or categories"
        )
    if getattr(dtype, "kind", None) == "c":
        raise ValueError(f"Complex data not supported: column {name!r} has dtype {dtype}")


def _finite_numbers(column: Any, name: Any) -> np.ndarray:
    """Return the values of a column of numbers."""
    _check_dtype(name, getattr(column, "dtype", None))
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"column {name!r} must hold numbers, as in the training data: {error}"
        ) from error
    if not np.isfinite(values).all():
        found = "NaN" if np.isnan(values).any() else "infinity"
        raise ValueError(
            f"Input X contains {found} in column {name!r}: replace such values, or leave out "
            "their rows"
        )
    return values


def _values(column: Any, name: Any) -> tuple[list, set]:
    """Return the values of a column, None for all that is missing, and the set of them."""
    missing = column.isna() if hasattr(column, "isna") else column.is_null()
    values = [
        None if is_missing else value
        for value, is_missing in zip(column.to_list(), missing.to_list(), strict=True)
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


def _rounded(matrix: np.ndarray, dtype: np.dtype) -> np.ndarray:
    limits = np.iinfo(dtype)
    return matrix.round().clip(limits.min, limits.max).astype(dtype)
