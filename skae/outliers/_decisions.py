"""From scores to decisions: conformal p-values, and the control of false discoveries."""

import numpy as np


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
