"""Alarms, and the features that make them, as a table for people."""

from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from ..tables import cells_of, framed
from ._ensemble import DenoisingEnsemble


def explained(detector: Any, X: Any, n_features: int) -> Any:
    """Return the features that contribute most to the scores of alarms.

    Parameters
    ----------
    detector : AutoencoderOutlierDetector
        Fitted.
    X : array-like or data frame or CSR matrix or array of shape (n_samples, n_features)
        Data.
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
    labels = X.index if hasattr(X, "iloc") else None  # of pandas
    checked = detector._checked(X)
    model = detector.estimator_
    scores = model.score_samples(checked)
    alarms = np.flatnonzero(scores < detector.offset_)
    alarms = alarms[np.argsort(scores[alarms], kind="stable")]
    rows = _safe_indexing(checked, alarms)
    is_table = getattr(detector, "_table", None) is not None
    cells = cells_of(_safe_indexing(framed(X), alarms) if is_table else rows)
    n_shown = min(n_features, cells.shape[1])
    errors = np.zeros(cells.shape)
    if len(alarms):
        errors = detector._by_columns(model.feature_errors(rows))
    top = np.argsort(-errors, axis=1, kind="stable")[:, :n_shown]
    if is_table and len(alarms):
        expected = detector._expected(rows, top)
    else:
        expected = _expected(model, rows, cells, top)
    total = np.maximum(errors.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    names = getattr(detector, "feature_names_in_", np.arange(detector.n_features_in_))
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
        return np.take_along_axis(cells_of(model.reconstruct(rows)), features, axis=1)
    return np.full(features.shape, np.nan)
