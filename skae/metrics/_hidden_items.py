"""Hiding a part of each user's items, to see whether a recommender finds it."""

from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_random_state, check_scalar

from ._checks import check_share, checked_csr, is_frame


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
    check_share(test_size, "test_size")
    check_scalar(min_items, "min_items", Integral, min_val=2)
    X = checked_csr(X, "X")
    n_items = np.diff(X.indptr)
    n_hidden = np.minimum(np.maximum(1, (test_size * n_items).astype(int)), n_items - 1)
    n_hidden[n_items < min_items] = 0
    return split_rows(X, check_random_state(random_state).uniform(size=X.nnz), n_hidden)[::-1]


def split_rows(
    X: sparse.csr_array, keys: np.ndarray, n_first: int | np.ndarray
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Split the entries of each row into the first ones by some keys and the others.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns)
        The rows.
    keys : ndarray of shape (n_stored,)
        Of each entry; the lowest come first.
    n_first : int or ndarray of int of shape (n_rows,)
        How many entries of a row to split off; all where there are fewer.

    Returns
    -------
    first, others : csr_array of shape (n_rows, n_columns)
        Their sum is `X`.
    """
    n_stored = np.diff(X.indptr)
    rows = np.repeat(np.arange(X.shape[0]), n_stored)
    place = np.empty(X.nnz, dtype=np.int64)  # of each entry in its row
    place[np.lexsort((keys, rows))] = np.arange(X.nnz) - X.indptr[rows]
    is_first = place < np.broadcast_to(n_first, X.shape[0])[rows]
    return _some(X, is_first), _some(X, ~is_first)


def _some(X: sparse.csr_array, chosen: np.ndarray) -> sparse.csr_array:
    starts = np.concatenate([[0], np.cumsum(chosen)])[X.indptr].astype(X.indptr.dtype)
    return sparse.csr_array((X.data[chosen], X.indices[chosen], starts), X.shape)


def is_later(y: Any) -> bool:
    """Tell whether a target is what users had later, and neither missing nor labels.

    Parameters
    ----------
    y : object
        The target.

    Returns
    -------
    bool
        Whether it has two dimensions.
    """
    return y is not None and (sparse.issparse(y) or np.ndim(y) != 1)


def only_new(X: Any, y: Any) -> sparse.csr_array:
    """Return what users had later and not before, which is all that a recommender can find.

    Parameters
    ----------
    X, y : {array-like, sparse matrix or array} of shape (n_users, n_items)
        What users had before and later.

    Returns
    -------
    csr_array of bool of shape (n_users, n_items)
        Where `y` is not zero and `X` is.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    before = sparse.csr_array(check_array(X, accept_sparse="csr", dtype=None)).astype(bool)
    later = sparse.csr_array(check_array(y, accept_sparse="csr", dtype=None, input_name="y"))
    if later.shape != before.shape:
        raise ValueError(
            f"y has the shape {later.shape}, but must have that of X, {before.shape}: what users "
            "had later"
        )
    later = later.astype(bool)
    return sparse.csr_array(later > later.multiply(before))


def like(X: Any, shown: sparse.csr_array) -> Any:
    """Return a matrix as a frame if another one is, so that items keep their names.

    Parameters
    ----------
    X : data frame or {array-like, sparse matrix or array} of shape (n_users, n_items)
        The other one.
    shown : csr_array of shape (n_users, n_items)
        The matrix.

    Returns
    -------
    data frame or csr_array of shape (n_users, n_items)
        The same values.
    """
    if not is_frame(X):
        return shown
    if hasattr(X, "iloc"):
        return type(X)(shown.toarray(), index=X.index, columns=X.columns)
    return type(X)(shown.toarray(), schema=list(X.columns))
