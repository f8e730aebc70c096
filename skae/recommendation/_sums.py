"""What closed forms need to know of all users seen so far, in as little memory as it takes."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
from scipy import sparse

from .._plain import registered
from ..training._state import CANNOT_GO_ON
from ._closed_form import gram_of
from ._sparse import SparseMatrix, scaled
from ._weighting import Weighting

_SEPARABLE = ("binary", "log", None)  # weights that no other user has an influence on


@registered
class Sums:
    """Interactions of all users so far, or their Gram matrix.

    Parameters
    ----------
    n_users : int
        How many users.
    counts : ndarray of int64 of shape (n_items,)
        How many of them have each item.
    total : float
        Sum of all values.
    unit : float
        Mean value of the first users: what the values are measured in while weights are solved for,
        which do not depend on it.
    rows : SparseMatrix of shape (n_users, n_items) or None
        The interactions.
    gram : ndarray of shape (n_items, n_items) or None
        That of weighted and damped interactions, once there are so many that it is smaller.
    settings : tuple
        What the Gram matrix was made with.
    """

    n_users: int
    counts: np.ndarray
    total: float
    unit: float
    rows: SparseMatrix | None
    gram: np.ndarray | None = None
    settings: tuple = ()

    @classmethod
    def of(cls, X: sparse.csr_array) -> Self:
        """Return those of some users."""
        counts = np.bincount(X.indices, minlength=X.shape[1])
        total = float(X.data.sum(dtype=np.float64))
        return cls(X.shape[0], counts, total, total / max(X.nnz, 1), SparseMatrix.of(X.copy()))

    def plus(self, more: "Sums") -> "Sums":
        """Return those of these users and more, whose interactions are there."""
        n_users, counts = self.n_users + more.n_users, self.counts + more.counts
        both = replace(self, n_users=n_users, counts=counts, total=self.total + more.total)
        if self.gram is None:
            stacked = sparse.vstack([self.rows.csr, more.rows.csr], format="csr")
            return replace(both, rows=SparseMatrix.of(stacked))
        more = replace(more, unit=self.unit)
        return replace(both, gram=self.gram + gram_of(more.damped(*self.settings)))

    def compact(self, kind: str | None, damping: float, dtype: str) -> "Sums":
        """Return the same in less memory, where the Gram matrix is smaller than the rows."""
        if self.rows is None or kind not in _SEPARABLE:
            return self
        n_bytes = self.rows.data.nbytes + self.rows.indices.nbytes
        if n_bytes < len(self.counts) ** 2 * np.dtype(dtype).itemsize:
            return self
        gram = gram_of(self.damped(kind, damping, dtype))
        return replace(self, rows=None, gram=gram, settings=(kind, damping, dtype))

    def check_unchanged(self, *settings: str | float | None) -> None:
        """Raise ValueError if the Gram matrix was made with other settings."""
        if self.settings != settings:
            raise ValueError(
                "weighting, user_damping and dtype can't change between calls of partial_fit; they "
                f"were {self.settings} and are {settings}"
            )

    def weighting(self, kind: str | None) -> Weighting:
        """Return how interactions are weighted."""
        return Weighting(kind, self.n_users, self.counts, self.total)

    def damped(self, kind: str | None, damping: float, dtype: str) -> sparse.csr_array:
        """Return weighted interactions, divided by the number of a user's items to a power."""
        rows = self.rows.csr
        if kind is None:
            rows = sparse.csr_array((rows.data / self.unit, rows.indices, rows.indptr), rows.shape)
        return of_damped_users(self.weighting(kind).weighted(rows, dtype), damping)


def of_damped_users(X: sparse.csr_array, damping: float) -> sparse.csr_array:
    """Divide rows by half a power of the number of their entries.

    Parameters
    ----------
    X : csr_array of shape (n_users, n_items)
        Weighted interactions.
    damping : float
        The power by which users are divided in a Gram matrix of the rows.

    Returns
    -------
    csr_array of shape (n_users, n_items)
        With the same indices.
    """
    return scaled(X, rows=np.maximum(np.diff(X.indptr), 1.0) ** (-damping / 2))


def sums_so_far(estimator: Any) -> Sums | None:
    """Return the sums that an estimator goes on with, None before its first fit.

    Parameters
    ----------
    estimator : ShallowRecommender
        The estimator.

    Returns
    -------
    Sums or None
        Its sums.

    Raises
    ------
    ValueError
        If it comes from a file without them.
    """
    sums = getattr(estimator, "_sums", None)
    if sums is None and hasattr(estimator, "popularity_"):
        raise ValueError(CANNOT_GO_ON.format(type(estimator).__name__))
    return sums


def state_without_sums(estimator: Any) -> dict[str, Any]:
    """Return the state of an estimator without what only `partial_fit` needs.

    Parameters
    ----------
    estimator : ShallowRecommender
        The estimator.

    Returns
    -------
    dict
        Its state: the sums, which may be the users' rows, are None.
    """
    state = estimator.__getstate__()
    return {**state, "_solution": estimator._now, "_sums": None} if "_sums" in state else state
