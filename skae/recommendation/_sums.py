"""What closed forms need to know of all users seen so far, in as little memory as it takes."""

from dataclasses import replace
from typing import Self

import numpy as np
from scipy import sparse

from .._plain import registered
from ._closed_form import gram_of
from ._sparse import SparseMatrix, scaled
from ._weighting import Weighting

_BYTES_PER_ENTRY = 8  # of a CSR array: a value and an index
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
    rows: SparseMatrix | None
    gram: np.ndarray | None = None
    settings: tuple = ()

    @classmethod
    def of(cls, X: sparse.csr_array, dtype: str) -> Self:
        """Return those of some users."""
        counts = np.bincount(X.indices, minlength=X.shape[1])
        rows = SparseMatrix.of(sparse.csr_array(X, dtype=dtype, copy=True))
        return cls(X.shape[0], counts, float(X.data.sum(dtype=np.float64)), rows)

    def plus(self, more: "Sums") -> "Sums":
        """Return those of these users and more, whose interactions are there."""
        n_users, counts = self.n_users + more.n_users, self.counts + more.counts
        both = replace(self, n_users=n_users, counts=counts, total=self.total + more.total)
        if self.gram is None:
            stacked = sparse.vstack([self.rows.csr, more.rows.csr], format="csr")
            return replace(both, rows=SparseMatrix.of(stacked))
        kind, damping = self.settings
        return replace(both, gram=self.gram + gram_of(more.damped(kind, damping)))

    def compact(self, kind: str | None, damping: float) -> "Sums":
        """Return the same in less memory, where the Gram matrix is smaller than the rows."""
        if self.rows is None or kind not in _SEPARABLE:
            return self
        n_items = len(self.counts)
        if len(self.rows.data) * _BYTES_PER_ENTRY < n_items**2 * self.rows.data.itemsize:
            return self
        gram = gram_of(self.damped(kind, damping))
        return replace(self, rows=None, gram=gram, settings=(kind, damping))

    @property
    def dtype(self) -> np.dtype:
        """Type that is computed in."""
        return self.rows.data.dtype if self.gram is None else self.gram.dtype

    def check_unchanged(self, kind: str | None, damping: float) -> None:
        """Raise ValueError if the Gram matrix was made with other settings."""
        if self.settings != (kind, damping):
            raise ValueError(
                f"weighting={kind!r} and user_damping={damping} can't change between calls of "
                f"partial_fit; they were {self.settings[0]!r} and {self.settings[1]}"
            )

    def weighting(self, kind: str | None) -> Weighting:
        """Return how interactions are weighted."""
        return Weighting(kind, self.n_users, self.counts, self.total)

    def damped(self, kind: str | None, damping: float) -> sparse.csr_array:
        """Return weighted interactions, divided by the number of a user's items to a power."""
        rows = self.rows.csr
        n_items_of = np.maximum(np.diff(rows.indptr), 1.0)
        weighted = self.weighting(kind).weighted(rows, rows.dtype)
        return scaled(weighted, rows=n_items_of ** (-damping / 2))
