"""Metrics of ranked lists: does what users had later stand at the top of what was recommended?"""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_scalar

from ._checks import checked_csr


def ndcg_at_k(y_true: Any, ids: Any, k: int = 100, *, per_row: bool = False) -> Any:
    """Normalised discounted cumulative gain: hits count more the higher they stand.

    A hit at place i counts ``1 / log2(i + 1)``, and the sum is divided by that of the best list
    there is. All relevant items are equally relevant.

    Parameters
    ----------
    y_true : {array-like, sparse matrix or array} of shape (n_rows, n_items)
        Not zero where an item is relevant.
    ids : array-like of int of shape (n_rows, n_ranked)
        Indices of items, the best first, such as a recommender's `recommend` gives; -1 is none.
        Places beyond `n_ranked` have no hit.
    k : int, default=100
        How many places of the lists to look at.
    per_row : bool, default=False
        Whether to return the metric of each row.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        From 0 to 1, higher is better: the mean over rows that have a relevant item, or the metric
        of each row, NaN where it has none.

    Raises
    ------
    ValueError
        If lists repeat items or hold unknown ones, or no row has a relevant item.

    See Also
    --------
    sklearn.metrics.ndcg_score : The same for dense scores and graded relevance.

    References
    ----------
    Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20, 2002.

    Examples
    --------
    >>> from skae.metrics import ndcg_at_k
    >>> round(ndcg_at_k([[0, 1, 0, 1]], [[1, 0, 3]], k=3), 3)
    0.92
    """
    hits, n_relevant, k = _hits(y_true, ids, k)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(n_relevant, k)]
    return _over_rows(hits @ discounts[: hits.shape[1]], best, per_row)


def recall_at_k(y_true: Any, ids: Any, k: int = 20, *, per_row: bool = False) -> Any:
    """Share of the relevant items that stand among the first k.

    It is divided by k where a row has more relevant items, as in Liang et al. (2018), so that a
    perfect list has 1.

    Parameters
    ----------
    y_true : {array-like, sparse matrix or array} of shape (n_rows, n_items)
        Not zero where an item is relevant.
    ids : array-like of int of shape (n_rows, n_ranked)
        Indices of items, the best first; -1 is none.
    k : int, default=20
        How many places of the lists to look at.
    per_row : bool, default=False
        Whether to return the metric of each row.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        From 0 to 1, higher is better; see :func:`ndcg_at_k`.

    References
    ----------
    Liang, Krishnan, Hoffman & Jebara, "Variational autoencoders for collaborative filtering",
    WWW 2018.

    Examples
    --------
    >>> from skae.metrics import recall_at_k
    >>> recall_at_k([[0, 1, 0, 1]], [[1, 0, 3]], k=2)
    0.5
    """
    hits, n_relevant, k = _hits(y_true, ids, k)
    return _over_rows(hits.sum(axis=1), np.minimum(n_relevant, k), per_row)


def precision_at_k(y_true: Any, ids: Any, k: int = 20, *, per_row: bool = False) -> Any:
    """Share of the first k places that hold a relevant item.

    Parameters
    ----------
    y_true : {array-like, sparse matrix or array} of shape (n_rows, n_items)
        Not zero where an item is relevant.
    ids : array-like of int of shape (n_rows, n_ranked)
        Indices of items, the best first; -1 is none.
    k : int, default=20
        How many places of the lists to look at.
    per_row : bool, default=False
        Whether to return the metric of each row.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        From 0 to 1, higher is better; see :func:`ndcg_at_k`.

    Examples
    --------
    >>> from skae.metrics import precision_at_k
    >>> precision_at_k([[0, 1, 0, 1]], [[1, 0, 3, 2]], k=4)
    0.5
    """
    hits, n_relevant, k = _hits(y_true, ids, k)
    return _over_rows(hits.sum(axis=1), np.where(n_relevant, k, 0), per_row)


def map_at_k(y_true: Any, ids: Any, k: int = 20, *, per_row: bool = False) -> Any:
    """Mean average precision: the mean of the precisions at the places of the hits.

    Their sum is divided by the number of relevant items, or by k if that is less.

    Parameters
    ----------
    y_true : {array-like, sparse matrix or array} of shape (n_rows, n_items)
        Not zero where an item is relevant.
    ids : array-like of int of shape (n_rows, n_ranked)
        Indices of items, the best first; -1 is none.
    k : int, default=20
        How many places of the lists to look at.
    per_row : bool, default=False
        Whether to return the metric of each row.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        From 0 to 1, higher is better; see :func:`ndcg_at_k`.

    Examples
    --------
    >>> from skae.metrics import map_at_k
    >>> round(map_at_k([[0, 1, 0, 1]], [[1, 0, 3]], k=3), 3)
    0.833
    """
    hits, n_relevant, k = _hits(y_true, ids, k)
    precisions = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return _over_rows((precisions * hits).sum(axis=1), np.minimum(n_relevant, k), per_row)


def mrr_at_k(y_true: Any, ids: Any, k: int = 20, *, per_row: bool = False) -> Any:
    """Mean reciprocal rank: one over the place of the first hit, 0 without any.

    Parameters
    ----------
    y_true : {array-like, sparse matrix or array} of shape (n_rows, n_items)
        Not zero where an item is relevant.
    ids : array-like of int of shape (n_rows, n_ranked)
        Indices of items, the best first; -1 is none.
    k : int, default=20
        How many places of the lists to look at.
    per_row : bool, default=False
        Whether to return the metric of each row.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        From 0 to 1, higher is better; see :func:`ndcg_at_k`.

    Examples
    --------
    >>> from skae.metrics import mrr_at_k
    >>> mrr_at_k([[0, 1, 0, 1]], [[0, 1, 3]])
    0.5
    """
    hits, n_relevant, _ = _hits(y_true, ids, k)
    first = np.where(hits.any(axis=1), 1 / (1 + hits.argmax(axis=1)), 0.0)
    return _over_rows(first, np.minimum(n_relevant, 1), per_row)


def coverage_at_k(ids: Any, n_items: int, k: int = 20) -> float:
    """Share of the catalogue that is recommended to anybody.

    Parameters
    ----------
    ids : array-like of int of shape (n_rows, n_ranked)
        Indices of items, the best first; -1 is none.
    n_items : int
        How many items there are.
    k : int, default=20
        How many places of the lists to look at.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> from skae.metrics import coverage_at_k
    >>> coverage_at_k([[0, 1], [0, 2], [1, -1]], n_items=6, k=2)
    0.5
    """
    check_scalar(n_items, "n_items", Integral, min_val=1)
    ranked = _checked_ids(ids, n_items, k)
    return float(len(np.unique(ranked[ranked >= 0])) / n_items)


def novelty_at_k(ids: Any, X_train: Any, k: int = 20, *, per_row: bool = False) -> Any:
    """Mean self-information of what is recommended: how few users have it.

    Parameters
    ----------
    ids : array-like of int of shape (n_rows, n_ranked)
        Indices of items, the best first; -1 is none.
    X_train : {array-like, sparse matrix or array} of shape (n_users, n_items)
        Not zero where a user has an item. What nobody has counts as if one user had it.
    k : int, default=20
        How many places of the lists to look at.
    per_row : bool, default=False
        Whether to return the metric of each row.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        In bits, minus the binary logarithm of the share of users, higher is more novel: the mean
        over rows with a recommended item, or the metric of each row, NaN where there is none.

    References
    ----------
    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 107,
    2010.

    Examples
    --------
    >>> from skae.metrics import novelty_at_k
    >>> novelty_at_k([[0, 1]], [[1, 1], [1, 0], [1, 0], [1, 0]])
    1.0
    """
    train = _relevant(X_train, "X_train")
    ranked = _checked_ids(ids, train.shape[1], k)
    counts = np.bincount(train.indices, minlength=train.shape[1])
    bits = -np.log2(np.maximum(counts, 1) / train.shape[0])
    sums = np.where(ranked >= 0, bits[ranked], 0.0).sum(axis=1)
    return _over_rows(sums, (ranked >= 0).sum(axis=1), per_row)


def _hits(y_true: Any, ids: Any, k: int) -> tuple[NDArray, NDArray, int]:
    """Return which of the first places are hits, and how many relevant items each row has."""
    relevant = _relevant(y_true, "y_true")
    n_rows, n_items = relevant.shape
    ranked = _checked_ids(ids, n_items, k)
    if len(ranked) != n_rows:
        raise ValueError(f"ids has {len(ranked)} rows, but y_true has {n_rows}")
    n_relevant = np.diff(relevant.indptr)
    cells = np.repeat(np.arange(n_rows), n_relevant) * n_items + relevant.indices
    places = np.arange(n_rows)[:, None] * n_items + ranked
    return np.isin(places, cells, kind="sort") & (ranked >= 0), n_relevant, int(k)


def _relevant(X: Any, name: str) -> sparse.csr_array:
    """Return where a matrix is not zero."""
    relevant = checked_csr(X, name)
    relevant.indices = relevant.indices.astype(np.int64, copy=False)
    return relevant


def _checked_ids(ids: Any, n_items: int, k: int) -> NDArray:
    """Return the first places of ranked lists."""
    check_scalar(k, "k", Integral, min_val=1)
    ranked = np.asarray(ids)
    if ranked.ndim != 2 or ranked.dtype.kind not in "iu":
        raise ValueError(
            f"ids must be an array of integers of shape (n_rows, n_ranked), got {ranked.dtype} of "
            f"shape {ranked.shape}"
        )
    ranked = ranked[:, :k].astype(np.int64)
    wrong = ranked[(ranked < -1) | (ranked >= n_items)]
    if wrong.size:
        raise ValueError(
            f"ids holds {wrong[0]}, but must hold indices from 0 to {n_items - 1}, and -1 for none"
        )
    in_order = np.sort(ranked, axis=1)
    repeated = (in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] >= 0)
    if repeated.any():
        row, place = np.argwhere(repeated)[0]
        raise ValueError(f"ids has the item {in_order[row, 1 + place]} twice in row {row}")
    return ranked


def _over_rows(sums: NDArray, divisors: NDArray, per_row: bool) -> Any:
    """Return the quotients, or the mean of those that there are."""
    there = divisors > 0
    values = np.divide(sums, divisors, out=np.full(len(sums), np.nan), where=there)
    if per_row:
        return values
    if not there.any():
        raise ValueError("No row can be scored: none has a relevant or recommended item")
    return float(values[there].mean())
