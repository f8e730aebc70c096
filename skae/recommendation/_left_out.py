"""Scores of users as if they had not been in the fit: honest ones, to learn from and to judge by.

In closed form, one user more or less changes the inverse of the ridged Gram matrix by a matrix of
rank one (Sherman & Morrison, Annals of Mathematical Statistics 21, 1950).
"""

import numpy as np
from scipy import sparse

from ._closed_form import DenseWeights, FactoredWeights
from ._solution import Solution
from ._sparse import cells
from ._sums import of_damped_users


def left_out_scores(
    solution: Solution,
    shown: sparse.csr_array,
    histories: sparse.csr_array,
) -> np.ndarray:
    """Return scores of items for users of the fit, each by the weights of a fit without the user.

    What popularity and the ridge owe to one user is neglected.

    Parameters
    ----------
    solution : Solution
        That for `histories` among others.
    shown : csr_array of shape (n_users, n_items)
        What the recommender is shown of them.
    histories : csr_array of shape (n_users, n_items)
        What users have.

    Returns
    -------
    ndarray of shape (n_users, n_items)
        As :meth:`Solution.scores` would give them.
    """
    weights, history = solution.weights, solution.history(shown)
    weighted = solution.weighting.weighted(histories, history.dtype)
    rows = of_damped_users(weighted, solution.user_damping)
    of_history, of_rows = _times_inverse(weights, history), _times_inverse(weights, rows)
    left = np.maximum(1 - _products(rows, of_rows), np.finfo(of_rows.dtype).eps)[:, None]
    of_history += of_rows * (_products(rows, of_history)[:, None] / left)
    of_rows *= of_rows
    of_rows /= left
    of_rows += weights.precision
    scores = np.divide(of_history, of_rows, out=of_history)
    np.negative(scores, out=scores)
    scores[cells(history)] += history.data
    return solution.completed(scores, shown)


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
