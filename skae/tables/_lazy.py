"""Tables that are not dense floats, read part by part as if they were."""

from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from .._units import chunks_of, float_dtype
from ..datasets import RowSource


class LazyTable:
    """A matrix whose rows and columns are made dense floats only when they are looked at.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_rows, n_columns)
        Numbers of any dtype.
    """

    def __init__(self, X: Any) -> None:
        self._rows, self.shape, self.dtype = X, X.shape, float_dtype(X)

    @property
    def row_source(self) -> RowSource | None:
        """What the rows are read from block by block, if they are."""
        return self._rows if isinstance(self._rows, RowSource) else None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return some rows by their positions, or one column by a slice and its position."""
        part = self._column(*key) if isinstance(key, tuple) else self._rows[key]
        dense = part.toarray() if sparse.issparse(part) else np.asarray(part)
        dense = dense.ravel() if isinstance(key, tuple) else dense
        return dense.astype(self.dtype, copy=False)

    @property
    def raw(self) -> Any:
        """The matrix as it is."""
        return self._rows

    def _column(self, rows: slice, column: int) -> Any:
        X = self._columns
        return X[:, [column]][rows] if sparse.issparse(X) else X[rows, column]

    @cached_property
    def _columns(self) -> Any:
        return self._rows.tocsc() if sparse.issparse(self._rows) else self._rows

    def min(self, axis: int | None = None) -> Any:
        """Return the least value of each column or of all, NaN where one is NaN.

        Of all values that are read block by block, it is the least one besides NaN.

        Parameters
        ----------
        axis : int or None, default=None
            0 for columns, None for all.

        Returns
        -------
        ndarray of shape (n_columns,) or float
            The values.
        """
        if axis is None and self.row_source is not None:  # which has been read for it already
            return self.row_source.min()
        return np.min([chunk.min(axis) for chunk in self._chunks()], axis=0)

    def max(self, axis: int | None = None) -> Any:
        """Return the greatest value of each column or of all, NaN where one is NaN.

        Of all values that are read block by block, it is the greatest one besides NaN.

        Parameters
        ----------
        axis : int or None, default=None
            0 for columns, None for all.

        Returns
        -------
        ndarray of shape (n_columns,) or float
            The values.
        """
        if axis is None and self.row_source is not None:  # which has been read for it already
            return self.row_source.max()
        return np.max([chunk.max(axis) for chunk in self._chunks()], axis=0)

    def _chunks(self) -> Any:
        return (chunk.astype(self.dtype, copy=False) for chunk in chunks_of(self._rows))
