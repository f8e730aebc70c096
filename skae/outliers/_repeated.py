"""Rows with weights as rows that are repeated, which is what every model understands."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from .._base import given_weights
from .._weights import are_whole, as_evidence, drawn_positions, repeated_positions
from ..training._trials import FEW_ROWS

_MOST_PER_ROW = 10


def repeated(X: Any, sample_weight: Any) -> tuple[Any, np.ndarray | None]:
    """Return rows as often as their weights say.

    Parameters
    ----------
    X : ndarray, data frame or CSR matrix or array of shape (n_samples, n_features)
        Checked rows.
    sample_weight : array-like of shape (n_samples,) or None
        Their weights. Whole ones are counts, unless they add up to more than ten times the number
        of rows, and to 5,000 at least. By other weights as many rows are drawn as have any.

    Returns
    -------
    X : ndarray, data frame or CSR matrix or array of shape (n_drawn, n_features)
        The rows.
    positions : ndarray of shape (n_drawn,) of int or None
        Where they come from; None if all are as they were.
    """
    n = _num_samples(X)
    weights, present = given_weights(sample_weight, n), np.arange(n)
    is_matrix = (isinstance(X, np.ndarray) or sparse.issparse(X)) and X.dtype.kind in "biuf"
    if weights is None and (not is_matrix or n >= FEW_ROWS):
        return X, None
    if weights is not None:
        present = np.flatnonzero(weights)
        weights = as_evidence(weights[present])
        X = X if len(present) == n else _safe_indexing(X, present)
    rows = repeated_positions(weights, FEW_ROWS, [X] if is_matrix else [], len(present))
    if rows is None and weights is not None:
        total = round(weights.sum())
        if not are_whole(weights) or total > _MOST_PER_ROW * len(present):
            total = len(present)
        rows = drawn_positions(weights, total)
    if rows is None:
        return X, None
    return _safe_indexing(X, rows), present[rows]


def in_order(values: np.ndarray, positions: np.ndarray | None) -> np.ndarray:
    """Return what repeated rows have in the order of the rows that they come from.

    Parameters
    ----------
    values : ndarray of shape (n_drawn,) or fewer
        What they have; of a sample, which is in order.
    positions : ndarray of shape (n_drawn,) or None
        From :func:`repeated`.

    Returns
    -------
    ndarray of the same shape
        The same.
    """
    if positions is None or len(values) != len(positions):
        return values
    return values[np.argsort(positions, kind="stable")]
