"""How much an interaction counts: from ratings and play counts to weights."""

import numpy as np
from scipy import sparse

from .._plain import registered
from ._sparse import cells

WEIGHTINGS = ("binary", "log", "tfidf", "bm25")
_SATURATION, _LENGTH_SHARE = 1.2, 0.75  # BM25's k1 and b


@registered
class Weighting:
    """Weights of interactions, as learned from training data.

    Parameters
    ----------
    kind : {"binary", "log", "tfidf", "bm25"} or None
        1; ``log(1 + x)``; that times ``1 + log((1 + n) / (1 + c))``, with n users of whom c have
        the item; Okapi BM25 with k1 = 1.2 and b = 0.75; None leaves values as they are.
    n_users : int
        Number of users in training.
    counts : ndarray of int64 of shape (n_items,)
        How many of them have each item.
    total : float
        Sum of all values in training.

    References
    ----------
    Robertson & Zaragoza, "The probabilistic relevance framework: BM25 and beyond", Foundations and
    Trends in Information Retrieval 3, 2009.
    """

    kind: str | None
    n_users: int
    counts: np.ndarray
    total: float

    def weighted(self, X: sparse.csr_array, dtype: str) -> sparse.csr_array:
        """Return interactions with their weights.

        Parameters
        ----------
        X : csr_array of shape (n_rows, n_items)
            Checked interactions.
        dtype : str
            Of the weights.

        Returns
        -------
        csr_array of shape (n_rows, n_items)
            With the same indices.

        Raises
        ------
        ValueError
            If a weight is too large for the dtype.
        """
        weights = self._weights(X)
        if len(weights) and weights.max() > np.finfo(dtype).max:
            raise ValueError(
                f"The largest weight of an interaction is {weights.max():.3g}, too large for "
                f"{dtype}. Take another weighting, dtype='float64', or values in other units"
            )
        return sparse.csr_array((weights.astype(dtype), X.indices, X.indptr), X.shape)

    def _weights(self, X: sparse.csr_array) -> np.ndarray:
        if self.kind is None:
            return X.data
        if self.kind == "binary":
            return np.ones_like(X.data)
        n, counts = self.n_users, self.counts[X.indices]
        if self.kind == "bm25":
            lengths = X.sum(axis=1) / (self.total / n)
            longer = (1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths)[cells(X)[0]]
            idf = np.log1p((n - counts + 0.5) / (counts + 0.5))
            return X.data * (_SATURATION + 1) / (X.data + _SATURATION * longer) * idf
        weights = np.log1p(X.data)
        return weights if self.kind == "log" else weights * (1 + np.log((1 + n) / (1 + counts)))
