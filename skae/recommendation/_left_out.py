"""Scores of users as if they had not been in the fit: honest ones, to learn from and to judge by.

In closed form, one user more or less changes the inverse of the ridged Gram matrix by a matrix of
rank one (Sherman & Morrison, Annals of Mathematical Statistics 21, 1950).
"""

import numpy as np
from scipy import sparse

from ._closed_form import DenseWeights, FactoredWeights
from ._shallow import ShallowRecommender
from ._sparse import cells, scaled


def left_out_scores(
    recommender: ShallowRecommender, shown: sparse.csr_array, histories: sparse.csr_array
) -> np.ndarray:
    """Return scores of items for users of the fit, each by the weights of a fit without the user.

    What popularity and the ridge owe to one user is neglected.

    Parameters
    ----------
    recommender : ShallowRecommender
        Fitted to `histories` among others.
    shown : csr_array of shape (n_users, n_items)
        What the recommender is shown of them.
    histories : csr_array of shape (n_users, n_items)
        What users have.

    Returns
    -------
    ndarray of shape (n_users, n_items)
        Scores, as :meth:`~skae.ShallowRecommender.decision_function` would give them.
    """
    solution = recommender._now
    n_items = np.maximum(np.diff(histories.indptr), 1.0)
    damping = n_items ** (-recommender.user_damping / 2)
    of_shown = _times_inverse(solution.weights, recommender._weighted(shown))
    whole = recommender._weighted(histories)
    of_rows = of_shown if shown is histories else _times_inverse(solution.weights, whole)
    of_rows = of_rows * damping[:, None].astype(of_rows.dtype)
    rows = scaled(whole, rows=damping)
    left = np.maximum(1 - _products(rows, of_rows), np.finfo(of_rows.dtype).eps)[:, None]
    of_shown += of_rows * (_products(rows, of_shown)[:, None] / left)
    of_rows *= of_rows
    of_rows /= left
    of_rows += solution.weights.precision
    scores = np.divide(of_shown, of_rows, out=of_shown)
    np.negative(scores, out=scores)
    scores[cells(shown)] += recommender._weighted(shown).data
    scores *= solution.damping
    scores += recommender._strength(shown)[:, None] * solution.share
    return scores


def _times_inverse(weights: DenseWeights | FactoredWeights, X: sparse.csr_array) -> np.ndarray:
    """Return rows times P, the inverse of the ridged Gram matrix."""
    products = weights.scores(X)
    np.negative(products, out=products)
    products[cells(X)] += X.data
    products *= weights.precision
    return products


def _products(X: sparse.csr_array, dense: np.ndarray) -> np.ndarray:
    """Return the products of the rows of two matrices, each with its own."""
    at, _ = cells(X)
    sums = np.bincount(at, X.data * dense[cells(X)], minlength=X.shape[0])
    return sums.astype(dense.dtype)
