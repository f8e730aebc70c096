"""Item-to-item weights in closed form: the linear autoencoder that may not copy its input.

With Y the users x items, users damped and items scaled by ``s = ridge ** -0.5``, let
``M = Y' (Y Y' + I)^-1 Y``. Then the inverse P of the ridged Gram matrix of items, and the weights B
of items of a history (rows) for items to rank (columns) are, exactly::

    P = diag(s) (I - M) diag(s),    B_ij = -P_ij / P_jj = s_i M_ij / (s_j (1 - M_jj)),    B_ii = 0.

B is kept as a matrix of items x items (primal), or M as a product of thinner ones: ``Y'``,
``(Y Y' + I)^-1`` and Y (dual, as exact), or two equal factors (low rank).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy import linalg, sparse

from .._plain import registered
from .._settings import ROW_MULTIPLE, inference
from ._sparse import SparseMatrix, cells, scaled

_CELLS_AT_ONCE, _BLOCK = 2**19, 256
_USERS_SQUARED_PER_ITEM = 400  # from here on, Y' (Y Y' + I)^-1 is cheap beside the inverse
_OVERSAMPLING, _N_POWERS = 16, 4


@registered
class DenseWeights:
    """Weights as a matrix.

    Parameters
    ----------
    matrix : ndarray of shape (n_items, n_items)
        B: what an item of the history (row) adds to the score of another (column).
    precision : ndarray of shape (n_items,)
        The diagonal of P.
    """

    matrix: np.ndarray
    precision: np.ndarray

    def scores(self, X: sparse.csr_array) -> np.ndarray:
        """Return X B."""
        return np.asarray(X @ self.matrix)

    def block(self, rows: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Return the weights of some items (rows) for others, or for all (columns)."""
        return self.matrix[rows] if columns is None else self.matrix[np.ix_(rows, columns)]


@registered
class FactoredWeights:
    """Weights as a product whose diagonal is taken out.

    Parameters
    ----------
    left : ndarray or SparseMatrix of shape (n_items, m)
        First factor of M.
    middle : ndarray of shape (m, m) or None
        Factor in between, if there is one.
    right : ndarray of shape (m, n_items), or SparseMatrix of shape (n_items, m)
        Last factor; transposed if it is sparse. Products are fast by the rows of either.
    scale : ndarray of shape (n_items,)
        The square root of the inverse ridge.
    leverage : ndarray of shape (n_items,)
        The diagonal of M.
    """

    left: Any
    middle: np.ndarray | None
    right: Any
    scale: np.ndarray
    leverage: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """The diagonal of P."""
        return self.scale**2 * (1 - self.leverage)

    @property
    def divisor(self) -> np.ndarray:
        """What columns of products are divided by to be weights."""
        return self.scale * (1 - self.leverage)

    def scores(self, X: sparse.csr_array) -> np.ndarray:
        """Return X B."""
        x = scaled(X, columns=self.scale)
        scores = self.decoded(self.encoded(x))
        scores[cells(x)] -= x.data * self.leverage[x.indices]
        scores *= 1 / self.divisor
        return scores

    def block(self, rows: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Return the weights of some items (rows) for others, or for all (columns)."""
        chosen = np.arange(len(self.scale)) if columns is None else columns
        n = len(rows)
        one_hot = np.ones(n, self.scale.dtype), rows, np.arange(n + 1)
        codes = self.encoded(sparse.csr_array(one_hot, (n, len(self.scale))))
        products = self.decoded(codes, columns) * self.scale[rows, None] / self.divisor[chosen]
        products[rows[:, None] == chosen] = 0.0
        return products

    def encoded(self, x: sparse.csr_array) -> np.ndarray:
        """Return scaled rows times the first factors."""
        codes = x @ _matrix(self.left)
        codes = codes.toarray() if sparse.issparse(codes) else np.asarray(codes)
        return codes if self.middle is None else _product(codes, self.middle)

    def decoded(self, codes: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Return codes times the last factor, or some columns of it."""
        if isinstance(self.right, SparseMatrix):
            right = self.right.csr if columns is None else self.right.csr[columns]
            return _transposed(right @ _transposed(codes))
        return _product(codes, self.right if columns is None else self.right[:, columns])


def _matrix(factor: Any) -> Any:
    return factor.csr if isinstance(factor, SparseMatrix) else factor


def _transposed(matrix: np.ndarray) -> np.ndarray:
    """Return a transposed copy, made block by block: what fits the caches is the fastest."""
    copy = np.empty(matrix.shape[::-1], matrix.dtype)
    for rows in _some(len(matrix), _BLOCK):
        copy[:, rows] = matrix[rows].T
    return copy


def _product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return a product whose rows have the same bits, wherever and beside however many they are.

    By torch: the libraries that NumPy comes with add up in an order that depends on the place.
    """
    padded = np.pad(rows, ((0, -len(rows) % ROW_MULTIPLE), (0, 0)))
    factors = (torch.from_numpy(np.require(each, requirements="W")) for each in (padded, matrix))
    with inference():
        return torch.matmul(*factors).numpy()[: len(rows)]


# ------------------------------------------------------------------ solvers


def primal(gram: np.ndarray, ridge: np.ndarray) -> DenseWeights:
    """Return the weights from a Gram matrix.

    Parameters
    ----------
    gram : ndarray of shape (n_items, n_items)
        That of the damped interactions, overwritten.
    ridge : ndarray of shape (n_items,)
        What is added to its diagonal.

    Returns
    -------
    DenseWeights
        Exact.
    """
    gram.flat[:: len(gram) + 1] += ridge
    matrix = _inverse(gram)
    precision = matrix.diagonal().copy()
    matrix /= -precision
    np.fill_diagonal(matrix, 0.0)
    return DenseWeights(matrix, precision)


def dual(X: sparse.csr_array, ridge: np.ndarray) -> FactoredWeights:
    """Return the weights from a matrix of users x users.

    Parameters
    ----------
    X : csr_array of shape (n_users, n_items)
        Damped interactions.
    ridge : ndarray of shape (n_items,)
        What the diagonal of their Gram matrix is ridged with.

    Returns
    -------
    FactoredWeights
        As exact as the primal ones.
    """
    scale = (ridge**-0.5).astype(X.dtype)
    Y = sparse.csr_array(scaled(X, columns=scale).T)  # items x users
    kernel = gram_of(Y)
    kernel.flat[:: len(kernel) + 1] += 1
    kernel = _inverse(kernel)
    keep = len(kernel) ** 2 > _USERS_SQUARED_PER_ITEM * len(scale)
    left = np.empty(Y.shape, Y.dtype) if keep else None
    leverage = np.empty_like(scale)
    for items in _some(Y.shape[0], _CELLS_AT_ONCE // Y.shape[1]):
        y = Y[items]
        product = y @ kernel
        rows, _ = cells(y)
        leverage[items] = np.bincount(rows, y.data * product[cells(y)], minlength=y.shape[0])
        if left is not None:
            left[items] = product
    right = SparseMatrix.of(Y)
    if left is None:
        return FactoredWeights(right, kernel, right, scale, leverage)
    return FactoredWeights(left, None, right, scale, leverage)


def low_rank(
    X: sparse.csr_array, ridge: np.ndarray, n_components: int, rng: np.random.RandomState
) -> FactoredWeights:
    """Return the weights of the leading singular vectors, found by subspace iteration.

    The Gram matrix is never built: nothing is larger than items x components, whatever the number
    of users.

    Parameters
    ----------
    X : csr_array of shape (n_users, n_items)
        Damped interactions.
    ridge : ndarray of shape (n_items,)
        What the diagonal of their Gram matrix is ridged with.
    n_components : int
        How many singular vectors.
    rng : RandomState
        Draws where to start.

    Returns
    -------
    FactoredWeights
        Approximate.

    References
    ----------
    Halko, Martinsson & Tropp, "Finding structure with randomness", SIAM Review 53, 2011,
    algorithm 4.4.
    """
    scale = (ridge**-0.5).astype(X.dtype)
    Y = scaled(X, columns=scale)
    width = min(n_components + _OVERSAMPLING, X.shape[1])
    basis = rng.standard_normal((X.shape[1], width)).astype(X.dtype)
    for _ in range(_N_POWERS):
        basis = linalg.qr(_gram_times(Y, basis), mode="economic", overwrite_a=True)[0]
    squares, vectors = _leading(basis.T @ _gram_times(Y, basis), n_components)
    return _truncated(squares, basis @ vectors, scale)


def truncated_primal(gram: np.ndarray, ridge: np.ndarray, n_components: int) -> FactoredWeights:
    """Return the weights of the leading singular vectors, from a matrix of items x items.

    Parameters
    ----------
    gram : ndarray of shape (n_items, n_items)
        That of the damped interactions, overwritten.
    ridge : ndarray of shape (n_items,)
        What is added to its diagonal.
    n_components : int
        How many singular vectors.

    Returns
    -------
    FactoredWeights
        Those of the best approximation of M of this rank.
    """
    scale = (ridge**-0.5).astype(gram.dtype)
    gram *= scale
    gram *= scale[:, None]
    return _truncated(*_leading(gram, n_components), scale)


def truncated_dual(X: sparse.csr_array, ridge: np.ndarray, n_components: int) -> FactoredWeights:
    """Return the weights of the leading singular vectors, from a matrix of users x users.

    Parameters
    ----------
    X : csr_array of shape (n_users, n_items)
        Damped interactions.
    ridge : ndarray of shape (n_items,)
        What the diagonal of their Gram matrix is ridged with.
    n_components : int
        How many singular vectors; those beyond the number of users are zero.

    Returns
    -------
    FactoredWeights
        Those of the best approximation of M of this rank.
    """
    scale = (ridge**-0.5).astype(X.dtype)
    Y = sparse.csr_array(scaled(X, columns=scale).T)
    squares, users = _leading(gram_of(Y), min(n_components, X.shape[0]))
    items = (Y @ users) / np.sqrt(np.maximum(squares, np.finfo(X.dtype).tiny))
    n_missing = n_components - len(squares)
    return _truncated(
        np.pad(squares, (0, n_missing)), np.pad(items, ((0, 0), (0, n_missing))), scale
    )


def _leading(matrix: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest eigenvalues of a matrix, none below zero, and their vectors."""
    chosen = [len(matrix) - n, len(matrix) - 1]
    values, vectors = linalg.eigh(matrix, subset_by_index=chosen, overwrite_a=True)
    return values[::-1].clip(0), vectors[:, ::-1]


def _truncated(squares: np.ndarray, vectors: np.ndarray, scale: np.ndarray) -> FactoredWeights:
    factor = vectors * np.sqrt(squares / (squares + 1))
    leverage = np.einsum("ij,ij->i", factor, factor)
    return FactoredWeights(factor, None, np.ascontiguousarray(factor.T), scale, leverage)


def gram_of(X: sparse.csr_array) -> np.ndarray:
    """Return X' X, dense, made of some rows at a time.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns)
        The matrix.

    Returns
    -------
    ndarray of shape (n_columns, n_columns)
        Its Gram matrix.
    """
    transposed = sparse.csr_array(X.T)
    gram = np.empty((X.shape[1], X.shape[1]), X.dtype)
    for rows in _some(len(gram), _CELLS_AT_ONCE // len(gram)):
        (transposed[rows] @ X).toarray(out=gram[rows])
    return gram


def _gram_times(X: sparse.csr_array, matrix: np.ndarray) -> np.ndarray:
    product = np.zeros_like(matrix)
    for rows in _some(X.shape[0], 16 * _CELLS_AT_ONCE // matrix.shape[1]):
        x = X[rows]
        product += x.T @ (x @ matrix)
    return product


def _some(n: int, step: int) -> Iterator[slice]:
    step = max(1, step)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the inverse of a symmetric, positive definite matrix, in its place.

    By Cholesky's factors, at a third of the cost of a general inverse.
    """
    potrf, potri = linalg.get_lapack_funcs(("potrf", "potri"), (matrix,))
    factor, info = potrf(matrix.T, lower=1, overwrite_a=1)
    if info == 0:
        inverse, info = potri(factor, lower=1, overwrite_c=1)
    if info != 0:
        raise ValueError(
            "The ridged Gram matrix is not positive definite in the precision computed in: raise "
            "l2, or set dtype='float64'"
        )
    inverse = inverse.T  # its upper triangle is right
    for rows in _some(len(inverse), _BLOCK):
        inverse[rows, : rows.start] = inverse[: rows.start, rows].T
        block = inverse[rows, rows]
        block[:] = np.triu(block) + np.triu(block, 1).T
    return inverse
