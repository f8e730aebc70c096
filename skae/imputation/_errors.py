"""Errors of filled cells whose values are known."""

import numpy as np

from .._weights import weighted_mean
from ..tables import Coding


def column_errors(
    filled: np.ndarray,
    truth: np.ndarray,
    hidden: np.ndarray,
    coding: Coding,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Return mean errors of hidden cells, column by column.

    Parameters
    ----------
    filled, truth : ndarray of shape (n_samples, n_features)
        Rows.
    hidden : ndarray of bool of shape (n_samples, n_features)
        The cells to judge.
    coding : Coding
        Which columns hold categories.
    weights : ndarray of shape (n_samples,) or None, default=None
        How much each row counts; None for all alike.

    Returns
    -------
    ndarray of shape (n_features,)
        Mean squared errors of numbers, relative to their variances, error rates of categories, NaN
        where no cell was hidden.
    """
    errors = np.full(truth.shape[1], np.nan)
    unit = np.ones(truth.shape[1])
    unit[coding.numbers] = coding.unit
    for j in coding.features:
        cells = hidden[:, j]
        if weights is not None:
            cells = cells & (weights > 0)
        if not cells.any():
            continue
        x, y = filled[cells, j].astype(np.float64), truth[cells, j].astype(np.float64)
        wrong = x != y if j in coding.categories else ((x - y) / unit[j]) ** 2
        errors[j] = weighted_mean(wrong, None if weights is None else weights[cells])
    return errors


def relative_score(errors: np.ndarray, baseline: np.ndarray) -> float:
    """Return by what share errors are below those of a baseline, the mean over columns.

    Parameters
    ----------
    errors, baseline : ndarray of shape (n_features,)
        Mean errors; columns in which the baseline has none are left out.

    Returns
    -------
    float
        1 for no errors, 0 for those of the baseline.
    """
    counted = baseline > 0
    if not counted.any():
        return 1.0 if not np.nansum(errors) else 0.0
    return float(np.mean(1 - errors[counted] / baseline[counted]))


def root_errors(
    Z: np.ndarray, truth: np.ndarray, hidden: np.ndarray, coding: Coding, n_features: int
) -> np.ndarray:
    """Return errors of coded rows, in the units of the columns.

    Parameters
    ----------
    Z, truth : ndarray of shape (n_samples, n_columns)
        Coded rows.
    hidden : ndarray of bool of shape (n_samples, n_columns)
        The cells to judge.
    coding : Coding
        What decodes them.
    n_features : int
        Number of columns of the data.

    Returns
    -------
    ndarray of shape (n_features,)
        Root mean squared errors of numbers, shares of wrong categories, NaN where no cell was
        hidden.
    """
    blank = np.full((len(Z), n_features), np.nan)
    cells = np.zeros(blank.shape, dtype=bool)
    m = len(coding.numbers)
    cells[:, coding.features] = hidden[:, np.cumsum([0, *[1] * m, *coding.sizes])[:-1]]
    errors = column_errors(coding.decode(Z, blank), coding.decode(truth, blank), cells, coding)
    errors[coding.numbers] = coding.unit * errors[coding.numbers] ** 0.5
    return errors
