"""A closed form, solved: weights between items, and how popularity comes in."""

from typing import Any

import numpy as np
from scipy import sparse

from .._plain import registered
from ._closed_form import (
    DenseWeights,
    FactoredWeights,
    dual,
    gram_of,
    low_rank,
    primal,
    truncated_dual,
    truncated_primal,
)
from ._sparse import scaled
from ._sums import Sums
from ._weighting import Weighting


@registered
class Solution:
    """What scores are computed from.

    Parameters
    ----------
    solver : {"primal", "dual", "low_rank"}
        How the weights were found.
    weights : DenseWeights or FactoredWeights
        Weights of items for items.
    weighting : Weighting
        Of the interactions.
    damping : ndarray of shape (n_items,)
        Factors of items, in histories and in scores.
    share : ndarray of shape (n_items,)
        Share of the users that have each item.
    prior : float
        What popularity adds to the scores of a history of one item.
    user_damping : float
        Power of the number of a user's items by which users were divided.
    """

    solver: str
    weights: DenseWeights | FactoredWeights
    weighting: Weighting
    damping: np.ndarray
    share: np.ndarray
    prior: float
    user_damping: float

    def scores(self, X: sparse.csr_array) -> np.ndarray:
        """Return scores of shape (n_rows, n_items)."""
        scores = self.weights.scores(self.history(X))
        return self.completed(scores, X)

    def completed(self, scores: np.ndarray, X: sparse.csr_array) -> np.ndarray:
        """Damp products of rows and weights, in place, and add popularity."""
        for row, strength in zip(scores, self._strength(X), strict=True):  # stays in the caches
            row *= self.damping
            row += strength * self.share
        return scores

    def _strength(self, X: sparse.csr_array) -> np.ndarray:
        """Return how much popularity counts for each row, in units of its weights."""
        n_items = np.diff(X.indptr)
        total = self.weighting.weighted(X, self.damping.dtype).sum(axis=1)
        strength = self.prior * total / np.maximum(n_items, 1) ** 2
        return np.where(n_items, strength, 1.0).astype(self.damping.dtype)

    def contributions(self, x: sparse.csr_array, items: np.ndarray) -> np.ndarray:
        """Return what the entries of a row add to scores, of shape (n_items, n_entries)."""
        block = self.weights.block(x.indices, items) * self.history(x).data[:, None]
        return block.T * self.damping[items, None]

    def similarities(self, items: np.ndarray, others: np.ndarray | None) -> np.ndarray:
        """Return partial correlations: what two items share that no other item explains."""
        precision = self.weights.precision
        columns = np.arange(len(precision)) if others is None else others
        ratio = np.sqrt(precision[columns] / precision[items, None])
        alike = self.weights.block(items, others) * ratio
        alike[items[:, None] == columns] = 1.0
        return alike

    def codes(self, X: sparse.csr_array) -> np.ndarray:
        """Return rows in the space of the leading singular vectors."""
        return self.weights.encoded(scaled(self.history(X), columns=self.weights.scale))

    def decoded(self, codes: np.ndarray) -> np.ndarray:
        """Return the scores of codes, without popularity."""
        codes = codes.astype(self.damping.dtype)
        return self.weights.decoded(codes) / self.weights.divisor * self.damping

    def history(self, X: sparse.csr_array) -> sparse.csr_array:
        """Return rows as the weights are applied to them."""
        weighted = self.weighting.weighted(X, self.damping.dtype)
        return scaled(weighted, columns=self.damping)


def solved(
    sums: Sums,
    solver: str,
    n_components: int | None,
    *,
    l2: float,
    dropout: float,
    user_damping: float,
    item_damping: float,
    prior: float,
    weighting: str | None,
    dtype: str,
    rng: np.random.RandomState,
) -> Solution:
    """Solve for the weights; see :class:`ShallowRecommender` for the formulas.

    Parameters
    ----------
    sums : Sums
        Users so far.
    solver : {"primal", "dual", "low_rank"}
        How.
    n_components : int or None
        Rank of the weights, None for the exact ones.
    l2, dropout, user_damping, item_damping, prior, weighting, dtype
        Parameters of the estimator.
    rng : RandomState
        Of the low-rank solver.

    Returns
    -------
    Solution
        In that dtype.
    """
    counts = sums.counts
    if sums.gram is None:
        X: Any = sums.damped(weighting, user_damping, dtype)
        squares = np.bincount(X.indices, X.data.astype(np.float64) ** 2, len(counts))
    else:
        sums.check_unchanged(weighting, user_damping, dtype)
        squares = sums.gram.diagonal().astype(np.float64)
    # The best ridge grows with the root of how often items are seen, not in proportion.
    ridge = l2 * squares.mean() / np.sqrt(counts.mean()) + dropout / (1 - dropout) * squares
    if solver == "primal":
        X = gram_of(X) if sums.gram is None else sums.gram.copy()
    weights = _weights(X, ridge, solver, n_components, rng)
    popularity = np.maximum(counts, 1) / counts.mean()
    damping = popularity ** -float(item_damping)
    share = counts / sums.n_users
    return Solution(
        solver,
        weights,
        sums.weighting(weighting),
        damping.astype(dtype),
        share.astype(dtype),
        float(prior),
        float(user_damping),
    )


def _weights(
    X: Any, ridge: np.ndarray, solver: str, n_components: int | None, rng: np.random.RandomState
) -> DenseWeights | FactoredWeights:
    """Return the weights from damped interactions or, by the primal solver, from their Gram."""
    if solver == "low_rank":
        return low_rank(X, ridge, n_components, rng)
    exact, truncated = (primal, truncated_primal) if solver == "primal" else (dual, truncated_dual)
    return exact(X, ridge) if n_components is None else truncated(X, ridge, n_components)
