"""Small things that SciPy's sparse arrays lack."""

from typing import Self

import numpy as np
from scipy import sparse

from .._plain import registered


@registered
class SparseMatrix:
    """A CSR array as part of a fitted state.

    Parameters
    ----------
    data, indices, indptr : ndarrays
        As of SciPy's.
    shape : tuple (int, int)
        Numbers of rows and columns.
    """

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: tuple[int, int]

    @classmethod
    def of(cls, X: sparse.csr_array) -> Self:
        """Return a matrix that shares the arrays of one of SciPy's."""
        return cls(X.data, X.indices, X.indptr, X.shape)

    @property
    def csr(self) -> sparse.csr_array:
        """The matrix as SciPy's, with shared arrays."""
        return sparse.csr_array((self.data, self.indices, self.indptr), self.shape)


def cells(X: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of what a matrix stores.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns)
        The matrix.

    Returns
    -------
    rows, columns : ndarrays of shape (n_stored,)
        In the order of ``X.data``.
    """
    return np.repeat(np.arange(X.shape[0]), np.diff(X.indptr)), X.indices


def scaled(
    X: sparse.csr_array, *, rows: np.ndarray | None = None, columns: np.ndarray | None = None
) -> sparse.csr_array:
    """Return a matrix with scaled rows and columns.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns)
        The matrix.
    rows : ndarray of shape (n_rows,), default=None
        Factors of the rows.
    columns : ndarray of shape (n_columns,), default=None
        Factors of the columns.

    Returns
    -------
    csr_array of shape (n_rows, n_columns)
        With the same indices, and of the same dtype.
    """
    data = X.data
    if rows is not None:
        data = data * np.repeat(rows.astype(data.dtype), np.diff(X.indptr))
    if columns is not None:
        data = data * columns.astype(data.dtype)[X.indices]
    return sparse.csr_array((data, X.indices, X.indptr), X.shape)
