"""Users x items, checked: what every recommender makes of its input first."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from .._base import checked_input


def checked_interactions(
    estimator: BaseEstimator, X: Any, *, reset: bool = False
) -> sparse.csr_array:
    """Return interactions as CSR, if the estimator is fitted and they are like its data.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
        What its method was given.
    reset : bool, default=False
        Whether `X` are training data that make the estimator forget those before.

    Returns
    -------
    csr_array of shape (n_users, n_items)
        Float64, or float32 if `X` is: sorted, without duplicates, which are summed, and without
        zeros. `X` is left as it is.

    Raises
    ------
    ValueError
        If `X` holds negative values or NaN, has another number of items, or, in a fit, no entry.
    """
    try:
        checked = checked_input(estimator, X, reset=reset)
    except ValueError as error:
        n_items = getattr(estimator, "n_features_in_", None)
        if not reset and np.shape(X) and np.shape(X)[0] == n_items != np.shape(X)[-1]:
            raise ValueError(f"{error} Rows are users and columns items: is X.T meant?") from error
        raise
    interactions = sparse.csr_array(checked)
    if not interactions.has_canonical_format:
        interactions = interactions.copy()
        interactions.sum_duplicates()
    if interactions.nnz and interactions.data.min() <= 0:
        _check_non_negative(estimator, interactions)
        interactions = interactions.copy()
        interactions.eliminate_zeros()
    if reset and not interactions.nnz:
        raise ValueError(
            f"X of {interactions.shape[0]} users and {interactions.shape[1]} items has no entry "
            "other than zero; at least one user must have an item"
        )
    return interactions


def _check_non_negative(estimator: BaseEstimator, X: sparse.csr_array) -> None:
    at = int(X.data.argmin())
    if X.data[at] < 0:
        row = int(np.searchsorted(X.indptr, at, side="right")) - 1
        column = int(X.indices[at])
        names = getattr(estimator, "feature_names_in_", None)
        item = f"item {column}" if names is None else f"item {names[column]!r}"
        raise ValueError(
            f"Negative values in data passed to {type(estimator).__name__}: X has "
            f"{X.data[at]:.6g} for user {row} and {item}. Values say how much a user has of an "
            "item; leave out what was disliked, or weigh it by a small positive value"
        )
