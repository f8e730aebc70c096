"""Frames with columns of all kinds, as the default model of the detector takes them."""

from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from .._base import HasSchema, checked_input, checked_table, table_format
from ..tables import Schema, TableView, cells_of, framed


class CodesTables(HasSchema):
    """Mixin of detectors whose model takes numbers: a category becomes a cell for each value.

    Of two values only the second one has a cell, or the same would be counted twice. One more cell
    is for values that were not there in training. An array, CSR, or a frame of numbers has no
    `_table`.
    """

    column_kinds: Any
    estimator: Any
    estimator_: Any
    n_features_in_: int
    _checked: Any
    _table: TableView | None

    @property
    def schema_(self) -> Schema:
        """What the columns of the frame of the training data are taken for."""
        model = vars(self).get("estimator_")
        return super().schema_ if self.estimator is None else model.schema_

    def _coded(self, X: Any, *, reset: bool) -> Any:
        """Return the cells of rows, checked: numbers, zeros and ones, NaN where missing."""
        if reset:
            self._format, is_table = table_format(X, self.column_kinds, True)
            self._table = None
        elif (table := getattr(self, "_table", None)) is not None:
            return self._cells(checked_table(self, X, self._format), table)
        if not reset or not is_table:
            return checked_input(self, framed(X), reset=reset, as_it_is=True)
        form: Any = self._format
        matrix = checked_table(self, X, form, reset=True)
        sizes = {j: len(values) for j, values in form.categories.items()}
        self._table = TableView.of(matrix, sizes, range(matrix.shape[1]))
        return self._cells(matrix, self._table)

    def _cells(self, matrix: Any, table: TableView) -> np.ndarray:
        """Return cells without those that say nothing new."""
        return np.delete(table.coding.encode(matrix[:]), _doubled(table), axis=1)

    def _by_columns(self, errors: np.ndarray) -> np.ndarray:
        """Return what columns add to something, from what their cells do."""
        table = getattr(self, "_table", None)
        if table is None:
            return errors
        return table.by_columns(_with_doubled(errors, np.zeros_like(errors), table))

    @available_if(lambda detector: detector.estimator is None)
    def expected_values(self, X: Any) -> Any:
        """Return what the default model expects of each value, given the others of its row.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data, in the form of the training data.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_features)
            A frame if there are columns of categories or dates.
        """
        cells = self._checked(X)
        if self._table is None:
            rows, d = cells_of(cells), self.n_features_in_
            expected = self.estimator_.expected_values
            return np.array([expected(np.tile(row, (d, 1)), np.arange(d)) for row in rows])
        form: Any = self._format
        columns = np.tile(np.arange(self.n_features_in_), (len(cells), 1))
        matrix = self._expected_rows(cells, columns)
        rows = np.arange(len(matrix))
        return form.restore(matrix[rows, columns.ravel()].reshape(columns.shape), X)

    def _expected_rows(self, cells: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return whole rows as the model expects them if it does not see one of their columns.

        Parameters
        ----------
        cells : ndarray of shape (n_samples, n_cells)
            Rows, as :meth:`_coded` gives them.
        columns : ndarray of shape (n_samples, n_columns_per_row) of int
            Which columns of each.

        Returns
        -------
        ndarray of shape (n_samples * n_columns_per_row, n_columns)
            A row for every row and each of its columns, as in the frame's matrix.
        """
        table: Any = self._table
        form: Any = self._format
        each, asked = np.repeat(cells, columns.shape[1], axis=0), columns.ravel()
        owners = np.delete(table.coding.owners, _doubled(table))
        masked = np.where(owners == asked[:, None], np.nan, each)
        found = self.estimator_.reconstruct(masked)
        return form.rounded(table.decode(_with_doubled(found, 1 - found, table)))

    def _expected(self, cells: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return what the model expects in some columns of each row, as values of a frame."""
        form: Any = self._format
        frame, asked = framed(form.restore(self._expected_rows(cells, columns))), columns.ravel()
        values = [frame[form.names[j]][i] for i, j in enumerate(asked)]
        expected = np.empty(len(asked), dtype=object)
        expected[:] = values
        return expected.reshape(columns.shape)


def _doubled(table: TableView) -> np.ndarray:
    """Return the positions of the cells that are left out: the first ones of two values."""
    n_values = zip(table.groups, table.coding.categories.values(), strict=True)
    return np.array([group[0] for group, n in n_values if n == 2], dtype=int)


def _with_doubled(cells: np.ndarray, second: np.ndarray, table: TableView) -> np.ndarray:
    """Return all cells: those that were left out are taken from those of the second values."""
    doubled = _doubled(table)
    places = doubled - np.arange(len(doubled))  # of the second values, where cells are left out
    return np.insert(cells, places, second[:, places], axis=1)
