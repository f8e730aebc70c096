"""Arguments of the generators' methods, checked."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length


def check_count(name: str, value: Any, least: int) -> None:
    """Raise ValueError unless a number of things is a whole one.

    Parameters
    ----------
    name : str
        The parameter, for the message.
    value : object
        Its value.
    least : int
        The least that is allowed.
    """
    if isinstance(value, bool) or not (isinstance(value, Integral) and value >= least):
        raise ValueError(f"{name}={value!r} must be an integer of at least {least}")


def checked_labels(X: Any, y: Any) -> np.ndarray:
    """Return the labels of the training rows' classes, if that is what they are.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Training data.
    y : array-like of shape (n_samples,)
        Labels.

    Returns
    -------
    ndarray of shape (n_samples,)
        The labels.
    """
    if y is None:
        raise ValueError(
            "conditional=True requires y to be passed, but the target y is None: labels of the "
            "rows' classes"
        )
    labels = set(np.asarray(y, dtype=object).ravel().tolist())
    if any(label is None or is_scalar_nan(label) or is_pandas_na(label) for label in labels):
        raise ValueError(
            "Input y contains NaN or None, but conditional=True needs the class of every row"
        )
    y = column_or_1d(y, warn=True)
    check_consistent_length(X, y)
    try:
        kind = type_of_target(y, input_name="y")
    except TypeError as error:
        raise ValueError(f"the labels in y can't be sorted: {error}") from error
    if kind.startswith("continuous"):
        raise ValueError(
            f"conditional=True needs class labels, but y is {kind}; cut it into classes, for "
            "instance by KBinsDiscretizer"
        )
    return y


def checked_components(components: Any, n: int) -> np.ndarray:
    """Return the positions of some components of codes.

    Parameters
    ----------
    components : int, array-like of int or None
        Which ones; None for all.
    n : int
        How many there are.

    Returns
    -------
    ndarray of int
        Their positions.
    """
    every = np.arange(n)
    chosen = every if components is None else np.atleast_1d(components)
    is_whole = chosen.ndim == 1 and chosen.dtype.kind in "iu"
    if not (is_whole and chosen.size and np.isin(chosen, every).all()):
        raise ValueError(f"components={components!r} must be integers from 0 to {n - 1}")
    return chosen


def checked_values(values: Any) -> np.ndarray:
    """Return numbers that a component is set to.

    Parameters
    ----------
    values : float or array-like of float
        The numbers.

    Returns
    -------
    ndarray of shape (n_values,)
        At least one finite number.
    """
    try:
        numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
        raise ValueError(f"values={values!r} must be one or more finite numbers")
    return numbers
