"""Hiding a part of each user's items, to see whether a recommender finds it."""

from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_random_state, check_scalar


def hide_items(
    X: Any, test_size: float = 0.2, *, min_items: int = 2, random_state: Any = 0
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Split the items of each user into those to show to a recommender and those to hide.

    Together with a split of the users by scikit-learn's cross-validation this is evaluation by
    strong generalisation: the users are new, and what is hidden was never seen.

    Parameters
    ----------
    X : {array-like, sparse matrix or array} of shape (n_users, n_items)
        What users have.
    test_size : float, default=0.2
        Share of a user's items to hide, between 0 and 1: of n items ``int(test_size * n)``, but at
        least one and never all.
    min_items : int, default=2
        Users with fewer items hide none; at least 2.
    random_state : int, RandomState instance or None, default=0
        Determines what is hidden. One number for all that is to be compared: the choice moves NDCG
        by about .01. What is hidden of a user depends on how many items the users before have.

    Returns
    -------
    shown, hidden : csr_array of shape (n_users, n_items)
        With the values of `X`, which is their sum.

    References
    ----------
    Liang, Krishnan, Hoffman & Jebara, "Variational autoencoders for collaborative filtering",
    WWW 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import hide_items
    >>> shown, hidden = hide_items(np.ones((3, 10)))
    >>> shown.sum(axis=1), hidden.sum(axis=1)
    (array([8., 8., 8.]), array([2., 2., 2.]))
    """
    check_scalar(test_size, "test_size", Real, min_val=0, max_val=1, include_boundaries="neither")
    check_scalar(min_items, "min_items", int, min_val=2)
    X = sparse.csr_array(check_array(X, accept_sparse="csr", dtype=None), copy=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    n_items = np.diff(X.indptr)
    n_hidden = np.minimum(np.maximum(1, (test_size * n_items).astype(int)), n_items - 1)
    n_hidden[n_items < min_items] = 0
    rows = np.repeat(np.arange(X.shape[0]), n_items)
    order = np.lexsort((check_random_state(random_state).uniform(size=X.nnz), rows))
    place = np.empty(X.nnz, dtype=np.int64)  # of each entry in the random order of its row
    place[order] = np.arange(X.nnz) - X.indptr[rows]
    is_hidden = place < n_hidden[rows]
    return _some(X, ~is_hidden), _some(X, is_hidden)


def _some(X: sparse.csr_array, chosen: np.ndarray) -> sparse.csr_array:
    starts = np.concatenate([[0], np.cumsum(chosen)])[X.indptr].astype(X.indptr.dtype)
    return sparse.csr_array((X.data[chosen], X.indices[chosen], starts), X.shape)
