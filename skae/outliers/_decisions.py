"""From held-out scores to decisions: thresholds, p-values, the control of false discoveries."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _num_samples


def cross_fitted_scores(
    new_model: Callable[[], Any],
    X: Any,
    n_folds: int,
    random_state: int | np.random.RandomState | None,
) -> np.ndarray:
    """Return scores of all rows by models that have not seen them.

    Parameters
    ----------
    new_model : callable
        Returns a model to be fitted.
    X : array-like or data frame of shape (n_samples, n_features)
        Training rows, as the model takes them.
    n_folds : int
        Number of models, each of which is fitted to the rows outside one fold.
    random_state : int, RandomState instance or None
        Determines the folds.

    Returns
    -------
    ndarray of shape (n_samples,)
        Higher for rows that are more normal.
    """
    folds = np.arange(_num_samples(X)) % n_folds
    check_random_state(random_state).shuffle(folds)
    scores = np.empty(len(folds))
    for fold in range(n_folds):
        own, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        model = new_model().fit(_safe_indexing(X, others))
        scores[own] = model.score_samples(_safe_indexing(X, own))
    return scores


def automatic_threshold(held_out: np.ndarray) -> float:
    """Return the lower fence of a box plot of scores, or their first percentile if it is higher.

    Parameters
    ----------
    held_out : ndarray of shape (n_held_out,)
        Scores of rows by models that have not seen them.

    Returns
    -------
    float
        The threshold.
    """
    # Errors and surprises are sums, squares mostly: their roots are less skewed.
    is_error = bool((held_out <= 0).all())
    values = -np.sqrt(-held_out) if is_error else held_out
    q1, q3 = np.percentile(values, [25, 75])
    fence = q1 - 1.5 * (q3 - q1)
    return max(float(-(fence**2) if is_error else fence), float(np.percentile(held_out, 1)))


def conformal_p_values(
    scores: np.ndarray, held_out: np.ndarray, folds: np.ndarray | None = None
) -> np.ndarray:
    """Return the shares of held-out rows that are at least as outlying.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,) or (n_samples, n_folds)
        Scores of new rows, higher meaning more normal; with `folds`, by the model of each fold.
    held_out : ndarray of shape (n_held_out,)
        Scores of rows by models that have not seen them.
    folds : ndarray of shape (n_held_out,) of int or None, default=None
        By which model. A row is then compared with each held-out row by the latter's model, which
        makes the p-values cross-conformal (Vovk, 2015).

    Returns
    -------
    ndarray of shape (n_samples,)
        ``(1 + number of held-out scores at most as high) / (1 + n_held_out)``.
    """
    if folds is None:
        scores, folds = scores[:, None], np.zeros(len(held_out), dtype=int)
    count = np.ones(len(scores))
    for fold in range(scores.shape[1]):
        ordered = np.sort(held_out[folds == fold])
        count += np.searchsorted(ordered, scores[:, fold], side="right")
    return count / (1 + len(held_out))


def benjamini_hochberg(p_values: np.ndarray, fdr: float) -> np.ndarray:
    """Return which hypotheses to reject (Benjamini & Hochberg, JRSS B 57, 1995).

    Parameters
    ----------
    p_values : ndarray of shape (n,)
        One per hypothesis.
    fdr : float
        Highest expected share of false rejections among all rejections.

    Returns
    -------
    ndarray of shape (n,) of bool
        Whether each is rejected.
    """
    n = len(p_values)
    ordered = np.sort(p_values)
    # Conformal p-values are fractions: ties are common, and rounding must not decide them.
    below = np.flatnonzero(ordered * n <= fdr * np.arange(1, n + 1) * (1 + 1e-12))
    return p_values <= ordered[below[-1]] if len(below) else np.zeros(n, dtype=bool)


def warn_of_no_power(n: int, n_held_out: int, fdr: float, most_held_out: int | None) -> None:
    """Warn if no hypothesis alone could have been rejected, for want of held-out rows.

    Parameters
    ----------
    n : int
        Number of hypotheses.
    n_held_out : int
        Number of rows that p-values rest on, none of which is below ``1 / (n_held_out + 1)``.
    fdr : float
        The level of :func:`benjamini_hochberg`.
    most_held_out : int or None
        How many there can be; None if as many as are wanted.
    """
    needed = math.ceil(n / fdr * (1 - 1e-12)) - 1
    if n_held_out >= needed:
        return
    remedies = [f"{needed:,} training rows"] if needed <= (most_held_out or math.inf) else []
    at_once = math.floor(fdr * (n_held_out + 1) * (1 + 1e-12))
    if at_once:
        together = math.ceil(n / (fdr * (n_held_out + 1)) * (1 - 1e-12))
        remedies += [f"at most {at_once:,} rows at once", f"{together:,} outliers together"]
    warnings.warn(
        f"predict(fdr={fdr:g}) could not flag any of the {n:,} rows alone, whatever its values: "
        f"with {n_held_out:,} held-out training rows no p-value is below "
        f"{1 / (n_held_out + 1):.2g}, and a single row needs {fdr / n:.2g}. It takes "
        + ", or ".join(remedies or ["a higher fdr"]),
        stacklevel=3,
    )
