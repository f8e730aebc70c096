"""Data frames with numbers, dates and categories as matrices of numbers, and back."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Self

import numpy as np

from .._plain import registered
from ..metrics._checks import is_frame
from ._containers import (
    arrow_schema,
    arrow_table,
    framed,
    pandas_frame,
    polars_filled,
    polars_frame,
    refuse_unusable,
)
from ._dates import is_date
from ._dtypes import described, dtype_of, is_known
from ._objects import content_of, is_of_objects, typed
from ._schema import ColumnSchema, Schema, checked_kinds
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
    refuse_kind,
)
from ._values import equals, rounded_to, values_of, without


@registered
class FrameFormat:
    """What came in: an array or a frame, its columns, dtypes and categories.

    Parameters
    ----------
    container : {"", "pandas", "polars", "pyarrow"}
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
        Whether what is missing is NaN in matrices. Otherwise a category that is missing in training
        is one of its own.
    sentinel : object, default=None
        A value that stands for a missing one besides.
    own_unseen : bool, default=False
        Whether categories that were not there in training have the position after all others, in
        place of NaN; only if `fills`.
    objects : dict of int to tuple of two tuples
        What columns of Python objects hold, as of :func:`content_of`, and the dtype that they are
        converted into.
    incomplete : list of int
        Positions of the columns with missing values in training.
    arrow : bytes, default=b""
        The schema of a table of Arrow.
    """

    container: str
    names: list | None
    types: list[tuple]
    categories: dict[int, list]
    dates: dict[int, tuple[int, int]]
    fills: bool = False
    sentinel: Any = None
    own_unseen: bool = False
    objects: dict[int, tuple] = field(default_factory=dict)
    incomplete: list[int] = field(default_factory=list)
    arrow: bytes = b""

    @classmethod
    def of(
        cls,
        X: Any,
        *,
        kinds: Mapping[Any, str] | None = None,
        fills: bool = False,
        own_unseen: bool = False,
        sentinel: Any = None,
    ) -> Self:
        """Learn the form of training data.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_columns)
            Training data.
        kinds : mapping of object to str, or None, default=None
            What columns are to be taken for, by their names.
        fills : bool, default=False
            Whether what is missing is to be filled. Truth values are categories then.
        own_unseen : bool, default=False
            Whether categories that were not there in training have a position of their own.
        sentinel : object, default=None
            A value that stands for a missing one besides; only if `fills`.

        Returns
        -------
        FrameFormat
            Their form.

        Raises
        ------
        ValueError
            If a column has no values, or is not of the kind that is wanted, or if it is neither of
            numbers nor of dates, and most of its values are different.
        """
        refuse_unusable(X)
        arrow, X = arrow_schema(X), framed(X)
        if not is_frame(X):
            checked_kinds(kinds, None)
            types = [described(getattr(X, "dtype", None))]
            return cls("", None, types, {}, {}, fills, sentinel)
        names = list(X.columns)
        if twice := sorted({str(name) for name in names if names.count(name) > 1}):
            raise ValueError(f"column names must differ, but {twice} occur more than once")
        types = [described(X[name].dtype) for name in names]
        container = "pyarrow" if arrow else type(X).__module__.partition(".")[0]
        form = cls(container, names, types, {}, {}, fills, sentinel, own_unseen, arrow=arrow)
        wanted = checked_kinds(kinds, names)
        for j, name in enumerate(names):
            form._learn(j, name, X[name], wanted.get(name))
        return form

    @classmethod
    def of_numbers(cls, X: Any) -> Self:
        """Note down what a frame of numbers is, without a look at them.

        Parameters
        ----------
        X : data frame of shape (n_samples, n_columns)
            Training data that are read as an array.

        Returns
        -------
        FrameFormat
            Their form.
        """
        arrow, X = arrow_schema(X), framed(X)
        container = "pyarrow" if arrow else type(X).__module__.partition(".")[0]
        names = list(X.columns)
        incomplete = [j for j, name in enumerate(names) if is_missing(X[name]).any()]
        types = [described(dtype) for dtype in X.dtypes]
        return cls(container, names, types, {}, {}, incomplete=incomplete, arrow=arrow)

    def _learn(self, j: int, name: Any, column: Any, kind: str | None) -> None:
        """Find out what a column of the training data is."""
        dtype = column.dtype
        check_dtype(name, dtype)
        if is_of_objects(dtype) and kind != "category":
            column = without(column, self.sentinel)
            if content := content_of(column, name):
                column = typed(column, name, content)
                self.objects[j] = content, described(column.dtype)
                dtype = column.dtype
        if not is_known(dtype):
            raise ValueError(
                f"column {name!r} has dtype {dtype}, which is not known here: convert it into "
                "numbers, dates or text, or leave it out"
            )
        missing = is_missing(column)
        if missing.any():
            self.incomplete.append(j)
        is_sure = kind is not None
        if kind is None:
            is_category = not is_number(dtype) or (
                is_boolean(dtype) and (self.fills or bool(missing.any()))
            )
            kind = "date" if is_date(dtype) else "category" if is_category else "number"
        if kind == "date":
            if not is_date(dtype):
                refuse_kind(name, dtype, kind, "pandas.to_datetime")
            self.dates[j] = calendar_of(column, name, dtype)
        elif kind == "category":
            values = categories_of(column, name, with_missing=not self.fills, is_sure=is_sure)
            self.categories[j] = [v for v in values if not equals(v, self.sentinel)]
        elif not is_number(dtype) or is_date(dtype):
            refuse_kind(name, dtype, kind, "pandas.to_numeric")

    def _typed(self, j: int, name: Any, column: Any) -> Any:
        """Return a column as it was learned: one of objects in the dtype that stands for them."""
        if j not in self.objects:
            return column
        return typed(without(column, self.sentinel), name, self.objects[j][0])

    @property
    def schema(self) -> Schema:
        """What the columns of a frame are taken for."""
        kinds = {**dict.fromkeys(self.categories, "category"), **dict.fromkeys(self.dates, "date")}
        columns = enumerate(zip(self.names or [], map(str, self.dtypes), strict=True))
        return Schema(
            ColumnSchema(
                *each, kinds.get(j, "number"), self.categories.get(j), j in self.incomplete
            )
            for j, each in columns
        )

    @property
    def dtypes(self) -> list[Any]:
        """The dtypes of the columns, or the one of an array."""
        return [dtype_of(each) for each in self.types]

    @property
    def _working_dtypes(self) -> list[Any]:
        """The dtypes of the columns, those of objects converted."""
        described = [self.objects.get(j, ((), each))[1] for j, each in enumerate(self.types)]
        return [dtype_of(each) for each in described]

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
            the training data, and NaN for what is missing of both and of numbers, and for
            categories that were not there in training, unless they have a position of their own.

        Raises
        ------
        ValueError
            If there is a number that is infinite.
        """
        X = framed(X)
        if not self.container or not is_frame(X):
            return X
        dtypes = self._working_dtypes
        is_single = all(isinstance(d, np.dtype) and d == np.float32 for d in dtypes)
        matrix = np.empty(X.shape, np.float32 if is_single else np.float64)
        for j, (name, dtype) in enumerate(zip(X.columns, dtypes, strict=True)):
            column = self._typed(j, name, X[name])
            if j in self.categories:
                known = self.categories[j]
                positions: Any = positions_of(column, name, known)
                if self.own_unseen:
                    positions = np.where(
                        np.isnan(positions) & ~is_missing(column), len(known), positions
                    )
                matrix[:, j] = positions
            elif j in self.dates:
                matrix[:, j] = days_of(column, name, dtype, *self.dates[j])
            else:
                matrix[:, j] = numbers_of(column, name)
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
                missing[:, j] |= [equals(value, self.sentinel) for value in X[name].to_list()]
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
        values = self._frame(matrix, X)
        places = {X.columns[j]: missing[:, j] for j in np.flatnonzero(missing.any(axis=0))}
        if self.container == "polars":
            return X.with_columns(
                polars_filled(X[name], place, values[name]) for name, place in places.items()
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
        if not self.container:
            dtype = self.dtypes[0]
            if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf":
                return matrix
            return rounded_to(matrix, dtype) if dtype.kind in "iu" else matrix.astype(dtype)
        return self.as_it_came(self._frame(matrix, like))

    def _frame(self, matrix: np.ndarray, like: Any) -> Any:
        """Return rows as a frame of pandas or polars."""
        columns: dict[Any, Any] = {}
        for j, (name, dtype) in enumerate(zip(self.names or [], self._working_dtypes, strict=True)):
            form = self.categories.get(j), self.dates.get(j), self.objects.get(j, ((),))[0]
            columns[name] = values_of(matrix[:, j], dtype, *form)
        if self.container == "polars":
            return polars_frame(columns, self.dtypes)
        frame = pandas_frame(columns, self.dtypes, [*self.categories, *self.objects])
        return frame.set_axis(like.index) if isinstance(like, type(frame)) else frame

    def as_it_came(self, frame: Any) -> Any:
        """Return a frame in the library of the training data.

        Parameters
        ----------
        frame : data frame of shape (n_samples, n_columns)
            Of pandas, if the training data were a table of Arrow.

        Returns
        -------
        data frame of shape (n_samples, n_columns)
            The same.
        """
        return arrow_table(frame, self.arrow) if self.container == "pyarrow" else frame
