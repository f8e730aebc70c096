"""Alarms, and the features that make them, as a table for people."""

from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from ._ensemble import DenoisingEnsemble


def explained(
    model: Any, offset: float, X: Any, labels: Any, names: np.ndarray, n_features: int
) -> Any:
    """Return the features that contribute most to the scores of alarms.

    Parameters
    ----------
    model : estimator
        Fitted, with `score_samples` and `feature_errors`.
    offset : float
        Rows with lower scores are alarms.
    X : ndarray or data frame or CSR matrix or array of shape (n_samples, n_features)
        Checked data, as the model takes them.
    labels : pandas.Index or None
        Names of the rows; None takes their positions.
    names : ndarray of shape (n_features,)
        Names of the features.
    n_features : int
        Number of features per alarm.

    Returns
    -------
    pandas.DataFrame
        A line per alarm and feature.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("explain needs pandas: pip install pandas") from error
    scores = model.score_samples(X)
    alarms = np.flatnonzero(scores < offset)
    alarms = alarms[np.argsort(scores[alarms], kind="stable")]
    rows = _safe_indexing(X, alarms)
    cells = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
    n_shown = min(n_features, cells.shape[1])
    errors = model.feature_errors(rows) if len(alarms) else np.zeros(cells.shape)
    top = np.argsort(-errors, axis=1, kind="stable")[:, :n_shown]
    expected = _expected(model, rows, cells, top)
    total = np.maximum(errors.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    each = np.repeat(alarms, n_shown)
    return pd.DataFrame(
        {
            "row": each if labels is None else labels[each],
            "score": np.repeat(scores[alarms], n_shown),
            "feature": names[top].ravel(),
            "value": np.take_along_axis(cells, top, axis=1).ravel(),
            "expected": expected.ravel(),
            "share": np.take_along_axis(errors / total, top, axis=1).ravel(),
        }
    )


def _expected(model: Any, rows: Any, cells: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return what a model expects in some cells of each row."""
    if len(cells) and isinstance(model, DenoisingEnsemble):
        each = np.repeat(cells, features.shape[1], axis=0)
        return model.expected_values(each, features.ravel()).reshape(features.shape)
    if len(cells) and hasattr(model, "reconstruct"):
        return np.take_along_axis(np.asarray(model.reconstruct(rows)), features, axis=1)
    return np.full(features.shape, np.nan)
