"""Which rows of an outlier detector are explained, and what its model expects of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import check_at_least_one, check_rows, find_holder

_N_ROWS, _N_IMAGES = 3, 8


def name_rows(X: ArrayLike, otherwise: Any) -> ArrayLike:
    """Return the index of a dataframe, else the given names or the numbers up to a given one."""
    if hasattr(X, "iloc"):
        return X.index
    return np.arange(otherwise) if isinstance(otherwise, int) else otherwise


def check_feature_errors(errors: ArrayLike) -> NDArray[np.float64]:
    """Return what features add to minus the scores of rows, none of it negative."""
    checked = check_rows(errors, "feature_errors")
    if checked.min() < 0:
        raise ValueError(f"feature_errors must not be negative, the smallest is {checked.min():g}.")
    return checked


def check_positions(rows: ArrayLike, n_samples: int, name: str = "rows") -> NDArray[np.intp]:
    """Return the positions of rows, given as such or as a mask."""
    chosen = np.atleast_1d(np.asarray(rows))
    if chosen.dtype == bool and len(chosen) == n_samples:
        chosen = np.flatnonzero(chosen)
    elif chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < n_samples)).all():
        raise ValueError(
            f"{name} must hold positions from 0 to {n_samples - 1}, or be a mask of {n_samples} "
            f"rows, got {rows!r}."
        )
    if len(chosen) == 0:
        raise ValueError(
            f"{name} must hold at least one row, got none; {name}=None takes those of the default."
        )
    return chosen.astype(np.intp)


def worst_alarms(
    estimator: Any, X: ArrayLike, n_samples: int | None, image_shape: Sequence[int] | None
) -> NDArray[np.intp]:
    """Return the positions of the rows with the lowest negative decisions, worst first."""
    if n_samples is None:
        n_samples = _N_ROWS if image_shape is None else _N_IMAGES
    check_at_least_one("n_samples", n_samples)
    if not hasattr(estimator, "decision_function"):
        raise TypeError(
            "estimator must have decision_function to find alarms by; "
            f"{type(estimator).__name__} has none. Pass the positions of rows as rows=[...]."
        )
    decisions = np.asarray(estimator.decision_function(X))
    worst = np.argsort(decisions, kind="stable")[:n_samples]
    alarms = worst[decisions[worst] < 0]
    if len(alarms) == 0:
        raise ValueError(
            f"none of the {len(decisions)} rows of X is an alarm: the lowest decision_function is "
            f"{decisions.min():.3g}. Pass the positions of rows as rows=[...]."
        )
    return alarms


def find_detector(estimator: Any, X: ArrayLike) -> tuple[Any, ArrayLike]:
    """Return the detector inside pipelines and searches, and the rows as it sees them."""
    if hasattr(estimator, "feature_errors"):
        return estimator, X
    if hasattr(estimator, "best_estimator_"):
        return find_detector(estimator.best_estimator_, X)
    if hasattr(estimator, "steps"):
        return find_detector(estimator.steps[-1][1], estimator[:-1].transform(X))
    raise TypeError(f"estimator must have feature_errors; {type(estimator).__name__} has none.")


def expected_values(detector: Any, X: ArrayLike) -> ArrayLike | None:
    """Return what the model in a detector expects of each value, if it can tell."""
    for method in ("expected_values", "reconstruct"):
        if (model := find_holder(detector, method)) is not None:
            return getattr(model, method)(X)
    return None
