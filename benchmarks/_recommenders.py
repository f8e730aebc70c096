"""Recommenders that those of the package are compared with, and how settings are chosen.

Popularity, item-kNN, EASE and EDLAE are written here from their papers, sharing no code with the
package but `top_k`; ALS and BPR are those of `implicit`, if it is installed. All learn from a
matrix of users x items, 1 where the user has the item, and recommend to rows that were not in it.
"""

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csr_array, csr_matrix, diags_array

from skae.recommendation._top_k import top_k

CHUNK = 500


class Scored(ABC):
    """What gives a score to every item recommends the best ones that a user does not have yet."""

    @abstractmethod
    def fit(self, X: csr_array) -> "Scored":
        """Learn from users x items."""

    @abstractmethod
    def scores(self, X: csr_array) -> np.ndarray:
        """Return a new dense array of scores, users x items."""

    def recommend(self, X: csr_array, k: int) -> np.ndarray:
        parts = [X[start : start + CHUNK] for start in range(0, X.shape[0], CHUNK)]
        return np.vstack([self._best(part, k) for part in parts])

    def _best(self, X: csr_array, k: int) -> np.ndarray:
        scores = self.scores(X)
        scores[X.nonzero()] = -np.inf
        return top_k(scores, k)[0]


class Popularity(Scored):
    """What most users have."""

    def fit(self, X: csr_array) -> "Popularity":
        self.counts = X.sum(axis=0)
        return self

    def scores(self, X: csr_array) -> np.ndarray:
        return np.tile(self.counts, (X.shape[0], 1))


@dataclass
class ItemKNN(Scored):
    """Sum of cosines, shrunk towards 0, to the items of the user; each item has k neighbours."""

    k: int = 200
    shrink: float = 10.0

    def fit(self, X: csr_array) -> "ItemKNN":
        columns, norms = X.T.tocsr(), np.sqrt(X.sum(axis=0))
        n_items = X.shape[1]
        rows, neighbors, cosines = [], [], []
        for start in range(0, n_items, CHUNK):
            items = np.arange(start, min(start + CHUNK, n_items))
            together = (columns[items] @ X).toarray()
            together /= np.outer(norms[items], norms) + self.shrink
            together[np.arange(len(items)), items] = 0
            best, values = top_k(together, min(self.k, n_items))
            rows.append(np.repeat(items, best.shape[1]))
            neighbors.append(best.ravel())
            cosines.append(values.ravel())
        weights = np.concatenate(cosines)
        places = np.concatenate(neighbors), np.concatenate(rows)  # from a neighbour to the item
        self.weights = csr_array((weights, places), shape=(n_items, n_items))
        self.weights.eliminate_zeros()
        return self

    def scores(self, X: csr_array) -> np.ndarray:
        return (X @ self.weights).toarray()


@dataclass
class EDLAE(Scored):
    """The linear autoencoder without a diagonal (Steck, WWW 2019 and NeurIPS 2020), exact.

    `l2` is in units of the mean number of users of an item; without `dropout` this is EASE. Where
    users are fewer than items, the inverse is that of users x users, which gives the same scores:
    P = r (I - Y' (I + Y Y')^-1 Y) r, with r = ridge^-1/2 and Y = X r.
    """

    l2: float
    dropout: float = 0.5
    dual: bool | None = None

    def fit(self, X: csr_array) -> "EDLAE":
        counts = X.sum(axis=0)
        ridge = self.l2 * counts.mean() + self.dropout / (1 - self.dropout) * counts
        dual = X.shape[0] < X.shape[1] if self.dual is None else self.dual
        if dual:
            self._fit_users(X, ridge)
        else:
            gram = (X.T @ X).toarray()
            gram[np.diag_indices_from(gram)] += ridge
            self.weights = inverse(gram)
            self.weights /= -np.diag(self.weights)
            np.fill_diagonal(self.weights, 0)
        self.dual_ = dual
        return self

    def _fit_users(self, X: csr_array, ridge: np.ndarray) -> None:
        self.r = (1 / np.sqrt(ridge)).astype(X.dtype)
        self.Y = (X @ diags_array(self.r)).tocsr()
        kernel = (self.Y @ self.Y.T).toarray()
        kernel[np.diag_indices_from(kernel)] += 1
        self.K = inverse(kernel)
        self.left = np.empty(X.shape[1], X.dtype)  # diagonal of I - Y' K Y
        columns = self.Y.tocsc()
        for j, (a, b) in enumerate(zip(columns.indptr[:-1], columns.indptr[1:], strict=True)):
            users, values = columns.indices[a:b], columns.data[a:b]
            self.left[j] = 1 - values @ self.K[np.ix_(users, users)] @ values

    def scores(self, X: csr_array) -> np.ndarray:
        if not self.dual_:
            return X @ self.weights
        known = (X @ diags_array(self.r)).tocsr()
        explained = ((known @ self.Y.T) @ self.K) @ self.Y
        return (explained - known.toarray()) / (self.left * self.r)  # right where X is 0


def EASE(l2: float, dual: bool | None = None) -> EDLAE:
    """Steck, WWW 2019."""
    return EDLAE(l2, dropout=0.0, dual=dual)


def inverse(A: np.ndarray) -> np.ndarray:
    """Return the inverse of a positive definite matrix, which is overwritten."""
    potrf, potri = lapack.get_lapack_funcs(("potrf", "potri"), (A,))
    factor, failed = potrf(A.T, lower=1, overwrite_a=1)
    if failed:
        raise ValueError("The matrix is not positive definite: raise l2.")
    half, _ = potri(factor, lower=1, overwrite_c=1)
    half = np.tril(half)
    return half + np.tril(half, -1).T


@dataclass
class ALS:
    """`implicit`'s alternating least squares, which solves for the factors of new users."""

    factors: int = 128
    regularization: float = 1.0
    alpha: float = 10.0
    iterations: int = 15

    def fit(self, X: csr_array) -> "ALS":
        from implicit.cpu.als import AlternatingLeastSquares

        self.model = AlternatingLeastSquares(
            factors=self.factors,
            regularization=self.regularization,
            alpha=self.alpha,
            iterations=self.iterations,
            num_threads=1,
            random_state=0,
        )
        self.model.fit(csr_matrix(X), show_progress=False)
        return self

    def recommend(self, X: csr_array, k: int) -> np.ndarray:
        users = np.arange(X.shape[0])
        X = csr_matrix(X)
        ids, scores = self.model.recommend(users, X, N=min(k, X.shape[1]), recalculate_user=True)
        return np.where(scores > -1e30, ids, -1)  # it fills up with what the user has


@dataclass
class BPR(Scored):
    """`implicit`'s BPR; it knows no new users, so a user is the mean of the user's items."""

    factors: int = 128
    learning_rate: float = 0.05
    regularization: float = 0.01

    def fit(self, X: csr_array) -> "BPR":
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        self.model = BayesianPersonalizedRanking(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
            num_threads=1,
            random_state=0,
        )
        self.model.fit(csr_matrix(X), show_progress=False)
        return self

    def scores(self, X: csr_array) -> np.ndarray:
        items = self.model.item_factors
        users = (X @ items) / np.maximum(X.sum(axis=1), 1)[:, None]
        users[:, -1] = 1  # the last factor is the item's bias
        return users @ items.T


@dataclass(frozen=True)
class Contender:
    """A recommender and the settings among which validation users choose."""

    make: Callable[..., Any]
    settings: Sequence[Mapping[str, Any]] = field(default_factory=lambda: [{}])
    needs: str | None = None

    @property
    def missing(self) -> bool:
        return self.needs is not None and importlib.util.find_spec(self.needs) is None


# In mean numbers of users of an item.
PENALTIES = [{"l2": l2} for l2 in (0.5, 1, 2, 4, 8, 16, 32, 64, 128)]

PEERS: dict[str, Contender] = {
    "popularity": Contender(Popularity),
    "item-kNN": Contender(
        ItemKNN, [{"k": k, "shrink": shrink} for k in (50, 200) for shrink in (1.0, 10.0)]
    ),
    "implicit ALS": Contender(
        ALS,
        [
            {"factors": factors, "regularization": regularization, "alpha": alpha}
            for factors in (64, 128, 256)
            for regularization, alpha in ((30.0, 10.0), (10.0, 10.0), (1.0, 40.0))
        ],
        "implicit",
    ),
    "implicit BPR": Contender(
        BPR,
        [
            {"learning_rate": rate, "regularization": regularization}
            for rate in (0.05, 0.15)
            for regularization in (0.001, 0.01)
        ],
        "implicit",
    ),
    "EASE, tuned": Contender(EASE, PENALTIES),
    "EDLAE, tuned": Contender(EDLAE, PENALTIES),
}
