"""What a fit was asked for: rows, those that the network should give, and those it is judged by."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import _check_feature_names, _num_samples

from .._weights import as_evidence, repeated_positions
from ..datasets import RowSource
from ..metrics._checks import refuse_masked
from ..tables import LazyTable
from ..training._checkpoint import Checkpoint
from ..training._trials import FEW_ROWS
from ._checks import DTYPES, checked_weights


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
    weights : object, default=None
        How much each row counts, as they were given and then as they were checked; None for alike.
    own : tuple of three objects or None, default=None
        If `X`, `y` and `weights` are but those of a sample of the rows of several processes, those
        of this one.
    n_rows : int, default=0
        Then, how many rows all processes have.
    saved : Checkpoint or None, default=None
        What writes the state of the training, or starts from a state that was written.
    """

    X: Any
    y: Any
    max_epochs: int | str
    once: bool = False
    targets: Any = None
    valid: tuple[Any, Any] | None = None
    is_auto: bool = False
    weights: Any = None
    own: tuple[Any, Any, Any] | None = None
    n_rows: int = 0
    saved: Checkpoint | None = None

    @property
    def aims(self) -> Any:
        """What the network should give."""
        return self.X if self.targets is None else self.targets

    @property
    def n_done(self) -> int:
        """Number of epochs that are done, if it goes on with a training that was stored."""
        return 0 if self.saved is None else self.saved.n_done

    @property
    def callbacks(self) -> list[tuple[str, Any]]:
        """What watches the training besides."""
        return [] if self.saved is None else [("checkpoint", self.saved)]

    @property
    def shown(self) -> dict[str, Any]:
        """What callbacks get to see."""
        return {"X": self.X, "y": self.y}

    def stored(self, checkpoint: Any, resume: Any) -> "Fit":
        """Return it with a file to write the state of the training to, and one to start from."""
        if checkpoint is None and resume is None:
            return self
        return replace(self, saved=Checkpoint(checkpoint, resume))

    def present(self) -> "Fit":
        """Return it with checked weights, and without the rows that have none."""
        if self.weights is None:
            return self
        weights = checked_weights(self.weights, _num_samples(self.X))
        rows = np.flatnonzero(weights)
        if len(rows) == len(weights):
            return replace(self, weights=weights)
        if isinstance(self.X, RowSource):
            raise ValueError(
                f"sample_weight is 0 for {len(weights) - len(rows)} rows of X, a source of rows, "
                "which can't leave out any: leave them out of the files"
            )
        X = _of_rows(self.X, rows, len(weights))
        y = X if self.y is self.X else _of_rows(self.y, rows, len(weights))
        return replace(self, X=X, y=y, weights=weights[rows])

    def as_rows(self) -> "Fit":
        """Return it with the rows that whole weights stand for, if there are few of them."""
        n_rows, rows = self.X.shape[0], None
        if n_rows < FEW_ROWS and not isinstance(_raw(self.X), RowSource):
            rows = repeated_positions(self.weights, FEW_ROWS, self._parts(n_rows), n_rows)
        if rows is None:
            weights = None if self.weights is None else as_evidence(self.weights)
            return replace(self, weights=weights)
        X = LazyTable(_raw(self.X)[rows]) if isinstance(self.X, LazyTable) else self.X[rows]
        targets = None if self.targets is None else self.targets[rows]
        y = X if self.y is self.X else _of_rows(self.y, rows, n_rows)
        return replace(self, X=X, y=y, targets=targets, weights=None)

    def _parts(self, n_rows: int) -> list[Any]:
        """Return what makes rows equal: their cells, targets and labels, as numbers."""
        parts = [_raw(each) for each in (self.X, self.targets) if each is not None]
        labels = _numbers_of(self.y, n_rows)
        return parts if labels is None else [*parts, labels]


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
    refuse_masked(y, name)
    _check_feature_names(estimator, y, reset=False)
    return check_array(y, accept_sparse="csr", dtype=DTYPES, input_name=name, estimator=estimator)


def checked_own(estimator: Any, fit: Fit) -> tuple[Any, Any, Any] | None:
    """Return the rows that only this process has, their targets and their weights.

    Parameters
    ----------
    estimator : NetEstimator
        The estimator, which has checked a sample of the rows of all processes.
    fit : Fit
        What it was asked for.

    Returns
    -------
    tuple of three objects or None
        The same, checked; None if all processes have the same rows.
    """
    if fit.own is None:
        return None
    given, y, weights = fit.own
    X = estimator._checked(given)
    return X, checked_targets(estimator, given, X, y), weights


def checked_valid(
    estimator: Any, valid: tuple[Any, Any] | None, has_targets: bool
) -> tuple[Any, Any] | None:
    """Return the rows that early stopping watches, and their targets.

    Parameters
    ----------
    estimator : NetEstimator
        The estimator.
    valid : tuple of two objects or None
        `X_val` and `y_val` as they were given; None, or two of it, if none were.
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
    given, y = valid or (None, None)
    if given is None and y is None:
        return None
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


def _raw(X: Any) -> Any:
    return X.raw if isinstance(X, LazyTable) else X


def _of_rows(y: Any, rows: np.ndarray, n_rows: int) -> Any:
    """Return what belongs to some rows, if it has as many."""
    if y is None or _num_samples(y) != n_rows:
        return y
    return _safe_indexing(y if hasattr(y, "__getitem__") else np.asarray(y), rows)


def _numbers_of(y: Any, n_rows: int) -> np.ndarray | None:
    """Return labels as a column of numbers, if there are any."""
    if len(_shape(y)) != 1 or _num_samples(y) != n_rows:
        return None
    return np.unique(np.asarray(y, dtype=str), return_inverse=True)[1][:, None]


def _shape(y: Any) -> tuple[int, ...]:
    """Return the shape of what may be labels, of rows of different lengths for one."""
    return () if y is None else tuple(getattr(y, "shape", None) or np.asarray(y, object).shape)
