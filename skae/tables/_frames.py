"""Data frames with numbers, dates and categories as matrices of numbers, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from .._plain import registered
from ._dates import dates_of, is_date
from ._dtypes import described, dtype_of
from ._series import (
    calendar_of,
    categories_of,
    check_dtype,
    days_of,
    is_boolean,
    is_missing,
    is_number,
    is_whole,
    numbers_of,
    positions_of,
)


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
    dates : dict of int to tuple of two int
        The first date of columns of dates, and the largest unit that all of them are multiples of
        from there, both in the units of their dtypes.
    fills : bool, default=False
        Whether what is missing, or a category that was not there in training, is NaN in matrices.
        Otherwise a missing category is one of its own, and others are refused.
    sentinel : object, default=None
        A value that stands for a missing one besides.
    """

    container: str
    names: list | None
    types: list[tuple]
    categories: dict[int, list]
    dates: dict[int, tuple[int, int]]
    fills: bool = False
    sentinel: Any = None

    @classmethod
    def of(cls, X: Any, *, fills: bool = False, sentinel: Any = None) -> Self:
        """Learn the form of training data.

        Parameters
        ----------
        X : array-like or pandas or polars data frame of shape (n_samples, n_columns)
            Training data.
        fills : bool, default=False
            Whether what is missing is to be filled. Truth values are categories then.
        sentinel : object, default=None
            A value that stands for a missing one besides; only if `fills`.

        Returns
        -------
        FrameFormat
            Their form.

        Raises
        ------
        ValueError
            If a column has no values, or most of its values are different and it is not one of
            numbers or dates.
        """
        refuse_lazy(X)
        if not is_frame(X):
            types = [described(getattr(X, "dtype", None))]
            return cls("", None, types, {}, {}, fills, sentinel)
        names = list(X.columns)
        if twice := sorted({str(name) for name in names if names.count(name) > 1}):
            raise ValueError(f"column names must differ, but {twice} occur more than once")
        dtypes = [X[name].dtype for name in names]
        categories, dates = {}, {}
        for j, (name, dtype) in enumerate(zip(names, dtypes, strict=True)):
            check_dtype(name, dtype)
            if not _is_known(dtype):
                raise ValueError(
                    f"column {name!r} has dtype {dtype}, which is not known here: convert it into "
                    "numbers, dates or text"
                )
            if is_date(dtype):
                dates[j] = calendar_of(X[name], name, dtype)
            elif not is_number(dtype) or (
                is_boolean(dtype) and (fills or is_missing(X[name]).any())
            ):
                values = categories_of(X[name], name, with_missing=not fills)
                categories[j] = [v for v in values if not _equal(v, sentinel)]
        container = type(X).__module__.partition(".")[0]
        types = [described(dtype) for dtype in dtypes]
        return cls(container, names, types, categories, dates, fills, sentinel)

    @property
    def dtypes(self) -> list[Any]:
        """The dtypes of the columns, or the one of an array."""
        return [dtype_of(each) for each in self.types]

    @property
    def is_numeric(self) -> bool:
        """Whether an array could hold all columns."""
        return not self.categories and not self.dates

    def matrix(self, X: Any) -> Any:
        """Return numbers for a frame, anything else as it is.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_columns)
            Data.

        Returns
        -------
        array-like of shape (n_samples, n_columns)
            With the positions of categories in `categories`, dates counted from the first one of
            the training data, and NaN for what is missing of both and of numbers.

        Raises
        ------
        ValueError
            If there is a category that was not among the training data, or a number that is
            infinite.
        """
        if not self.container or not is_frame(X):
            return X
        dtypes = self.dtypes
        is_single = all(isinstance(d, np.dtype) and d == np.float32 for d in dtypes)
        matrix = np.empty(X.shape, np.float32 if is_single else np.float64)
        for j, (name, dtype) in enumerate(zip(X.columns, dtypes, strict=True)):
            if j in self.categories:
                known = self.categories[j]
                matrix[:, j] = positions_of(X[name], name, known, only_known=not self.fills)
            elif j in self.dates:
                matrix[:, j] = days_of(X[name], name, dtype, *self.dates[j])
            else:
                matrix[:, j] = numbers_of(X[name], name)
        if self.sentinel is not None:
            matrix[self.missing(X)] = np.nan
        return matrix

    def missing(self, X: Any) -> np.ndarray:
        """Tell which cells of a frame have no value.

        Parameters
        ----------
        X : pandas or polars data frame of shape (n_samples, n_columns)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_columns) of bool
            Where there is none, or the sentinel.
        """
        missing = np.empty(X.shape, dtype=bool)
        for j, name in enumerate(X.columns):
            missing[:, j] = is_missing(X[name])
            if self.sentinel is not None:
                missing[:, j] |= [_equal(value, self.sentinel) for value in X[name].to_list()]
        return missing

    def filled(self, X: Any, missing: np.ndarray, matrix: np.ndarray) -> Any:
        """Return a frame in which cells without a value have that of a matrix.

        Parameters
        ----------
        X : pandas or polars data frame of shape (n_samples, n_columns)
            Data.
        missing : ndarray of shape (n_samples, n_columns) of bool
            As from :meth:`missing`.
        matrix : ndarray of shape (n_samples, n_columns)
            As from :meth:`matrix`; what is NaN here stays missing.

        Returns
        -------
        data frame of shape (n_samples, n_columns)
            A copy, with all other cells as they are.
        """
        values = self.restore(matrix, X)
        places = {X.columns[j]: missing[:, j] for j in np.flatnonzero(missing.any(axis=0))}
        if self.container == "polars":
            return X.with_columns(
                _polars_filled(X[name], place, values[name]) for name, place in places.items()
            )
        frame = X.copy()
        for name, place in places.items():
            frame[name] = X[name].where(~place, values[name])
        return frame

    def rounded(self, matrix: np.ndarray) -> np.ndarray:
        """Round the columns that came in as whole numbers or dates.

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
            return matrix.round(out=matrix) if is_whole(dtypes[0]) else matrix
        for j, dtype in enumerate(dtypes):
            if j not in self.categories and (j in self.dates or is_whole(dtype)):
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
            values = matrix[:, j]
            if j in self.categories:
                known = [*self.categories[j], None]
                columns[name] = [known[int(i)] for i in np.where(np.isnan(values), -1, values)]
            elif j in self.dates:
                origin, unit = self.dates[j]
                missing = np.isnan(values)
                ticks = np.where(missing, 0, values).round().astype(np.int64) * unit + origin
                columns[name] = dates_of(ticks, missing, dtype)
            else:
                columns[name] = values.round() if is_whole(dtype) else values
        if self.container == "polars":
            return _polars_frame(columns, dtypes)
        frame = _pandas_frame(columns, dtypes, self.categories.keys())
        return frame.set_axis(like.index) if isinstance(like, type(frame)) else frame


def _equal(value: Any, sentinel: Any) -> bool:
    """Tell whether a value stands for a missing one."""
    return sentinel is not None and value is not None and bool(value == sentinel)


def _is_known(dtype: Any) -> bool:
    """Tell whether a dtype can be made again from its description."""
    try:
        return dtype_of(described(dtype)) == dtype
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return False


def _polars_frame(columns: dict[Any, Any], dtypes: list[Any]) -> Any:
    import polars as pl

    return pl.DataFrame(
        [
            pl.Series(name, values, strict=False, nan_to_null=True).cast(dtype)
            for (name, values), dtype in zip(columns.items(), dtypes, strict=True)
        ]
    )


def _polars_filled(column: Any, missing: np.ndarray, values: Any) -> Any:
    """Return a column with other values where cells are missing, in its own dtype if it has one."""
    import polars as pl

    if column.dtype == pl.Null:
        column = column.cast(values.dtype)
    return values.cast(column.dtype).zip_with(pl.Series(missing), column)


def _pandas_frame(columns: dict[Any, Any], dtypes: list[Any], of_categories: Any) -> Any:
    import pandas as pd

    series = {
        name: pd.Series(values, dtype=dtype)
        if j in of_categories
        else pd.Series(values).astype(dtype)
        for j, ((name, values), dtype) in enumerate(zip(columns.items(), dtypes, strict=True))
    }
    return pd.DataFrame(series, columns=list(columns))


# Libraries whose arrays are not in memory, and what else to do with them.
_UNREAD = {"dask": ", or let Dask call the estimator, X.map_blocks(...)", "h5py": "", "zarr": ""}


def refuse_lazy(X: Any) -> None:
    """Raise TypeError for data that would have to be computed or read as a whole.

    Parameters
    ----------
    X : object
        What the user gave.
    """
    if hasattr(X, "collect"):
        raise TypeError(
            f"X is a {type(X).__name__}: call its method collect() first or, if it does not fit "
            "into memory, write it to files and give skae.datasets.rows(path)"
        )
    library = type(X).__module__.partition(".")[0]
    if library in _UNREAD:
        raise TypeError(
            f"X is a {type(X).__name__} of {library}, which would be loaded as a whole: give "
            f"skae.datasets.rows(X), which reads it block by block{_UNREAD[library]}"
        )


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


@contextmanager
def columns_named(X: Any, allow_nan: bool = False) -> Iterator[None]:
    """Name the column that is to blame, if something that takes numbers refuses a frame.

    Parameters
    ----------
    X : object
        What the user gave.
    allow_nan : bool, default=False
        Whether numbers may be missing.

    Yields
    ------
    None
        While something looks at the frame.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        is_about_cells = "feature" not in str(error)  # and neither names nor number of columns
        if is_about_cells and is_frame(X) and len(set(X.columns)) == len(X.columns):
            for name in X.columns:
                numbers_of(X[name], name, allow_nan)
        raise


def _rounded(matrix: np.ndarray, dtype: np.dtype) -> np.ndarray:
    limits = np.iinfo(dtype)
    return matrix.round().clip(limits.min, limits.max).astype(dtype)
