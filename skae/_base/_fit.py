"""What a fit was asked for: rows, those that the network should give, and those it is judged by."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import _check_feature_names

from ._checks import DTYPES


@dataclass(frozen=True)
class Fit:
    """What a fit was asked for.

    Parameters
    ----------
    X : object
        Training data, as they were given and then as they were checked.
    y : object
        Targets.
    max_epochs : int or "auto"
        Number of passes over the data.
    once : bool, default=False
        Whether it is one pass over all rows: without early stopping.
    targets : object, default=None
        Rows that the network should give in place of `X`, checked.
    valid : tuple of two objects or None, default=None
        Rows that early stopping watches, and their targets.
    is_auto : bool, default=False
        Whether `max_epochs` was chosen by the estimator.
    """

    X: Any
    y: Any
    max_epochs: int | str
    once: bool = False
    targets: Any = None
    valid: tuple[Any, Any] | None = None
    is_auto: bool = False

    @property
    def aims(self) -> Any:
        """What the network should give."""
        return self.X if self.targets is None else self.targets

    @property
    def shown(self) -> dict[str, Any]:
        """What callbacks get to see."""
        return {"X": self.X, "y": self.y}


def checked_targets(estimator: Any, given: Any, X: Any, y: Any, name: str = "y") -> Any:
    """Return the rows that the network should give for others, if there are any.

    Labels, of one dimension, are none, nor are the rows themselves.

    Parameters
    ----------
    estimator : NetEstimator
        The estimator.
    given : object
        The rows as they were given.
    X : object
        The same, checked.
    y : array-like or None
        What was given with them.
    name : str, default="y"
        Its name, for messages.

    Returns
    -------
    object
        An array of the shape of `X` or None.

    Raises
    ------
    ValueError
        If `y` has two dimensions, and is neither `X` nor of its shape, or if the estimator takes no
        targets.
    """
    shape = _shape(y)
    if y is given or len(shape) < 2:
        return None
    if not estimator._takes_targets:
        raise ValueError(
            f"{name} has the shape {shape}, but {type(estimator).__name__} takes no targets, only "
            "labels of one dimension; Autoencoder trains towards other rows than those of X"
        )
    if shape != X.shape:
        raise ValueError(
            f"{name} has the shape {shape}, but {name.replace('y', 'X')} has {X.shape}: it must "
            "hold rows of the same shape, which the network should give, or labels of one "
            "dimension, which are ignored"
        )
    if getattr(estimator, "_is_table", False):
        return estimator._checked(y)
    _check_feature_names(estimator, y, reset=False)
    return check_array(y, accept_sparse="csr", dtype=DTYPES, input_name=name, estimator=estimator)


def checked_valid(
    estimator: Any, valid: tuple[Any, Any] | None, has_targets: bool
) -> tuple[Any, Any] | None:
    """Return the rows that early stopping watches, and their targets.

    Parameters
    ----------
    estimator : NetEstimator
        The estimator.
    valid : tuple of two objects or None
        `X_val` and `y_val` as they were given; None if none were.
    has_targets : bool
        Whether the rows to train on have targets.

    Returns
    -------
    tuple of two objects or None
        The same, checked.

    Raises
    ------
    ValueError
        If they are of no use, or not like the training data.
    """
    if valid is None:
        return None
    given, y = valid
    if given is None:
        raise ValueError("y_val belongs to the rows of X_val, but X_val=None")
    if not estimator._takes_valid:
        raise ValueError(
            f"X_val is not for {type(estimator).__name__}, whose early stopping watches a share of "
            "X, validation_fraction"
        )
    if not estimator.early_stopping:
        raise ValueError(
            "X_val is what early stopping watches, but early_stopping=False; set it to True"
        )
    try:
        X = estimator._checked(given)
    except ValueError as error:
        raise ValueError(f"X_val: {error}") from error
    targets = checked_targets(estimator, given, X, y, "y_val")
    if has_targets != (targets is not None):
        raise ValueError(
            "y_val must be rows of the shape of X_val if y is rows of the shape of X, and only then"
        )
    return X, targets


def _shape(y: Any) -> tuple[int, ...]:
    """Return the shape of what may be labels, of rows of different lengths for one."""
    return () if y is None else tuple(getattr(y, "shape", None) or np.asarray(y, object).shape)
