"""What to say of trainings that were not done when they ended, or that failed."""

import math
from collections.abc import Iterable
from typing import Any
from warnings import warn

from sklearn.exceptions import ConvergenceWarning

from .._arrays import Arrays
from ..losses import Domain
from ..training import BestWeights
from ..training._trainer import largest_value


def warn_unless_stopped(callbacks: Iterable[tuple[str, Any]], max_epochs: int) -> None:
    """Warn if early stopping has not stopped a training that went on to its last epoch.

    Parameters
    ----------
    callbacks : iterable of tuples (str, Callback)
        That of early stopping among them.
    max_epochs : int
        Number of epochs that it could take.
    """
    for _, watch in callbacks:
        if isinstance(watch, BestWeights) and watch.epoch_ == max_epochs and not watch.stopped_:
            warn(
                f"max_epochs={max_epochs} ended the training before early stopping did, which "
                f"waits for {watch.patience} epochs without improvement; the held-out rows were "
                f"served best after epoch {watch.best_epoch_}. Raise max_epochs.",
                ConvergenceWarning,
                stacklevel=2,
            )


def warn_of_auto(n_epochs: int) -> None:
    """Warn that the largest number of epochs that "auto" takes was the best of all.

    Parameters
    ----------
    n_epochs : int
        That number.
    """
    warn(
        f"max_epochs='auto' takes {n_epochs} epochs at most here, and rows that were held out were "
        "served the better the more it took. Set max_epochs to a larger number.",
        ConvergenceWarning,
        stacklevel=2,
    )


def likely_causes(domain: Domain, X: Any, lr: float) -> str:
    """Say what may have made a loss infinite, and what to do that the loss allows.

    Parameters
    ----------
    domain : Domain
        What the loss is defined on.
    X : ndarray, CSR matrix or array, or Arrays
        The training data; images and signals come in units of their own.
    lr : float
        Learning rate.

    Returns
    -------
    str
        One sentence.
    """
    rate = f"a learning rate that is too high (lr={lr:g})"
    if isinstance(X, Arrays) or getattr(domain, "high", math.inf) < math.inf:
        return f"The likely cause is {rate}."
    remedy = "StandardScaler or MinMaxScaler"
    if type(domain) is not Domain:  # numbers of at least zero, which must not be scaled
        remedy = "loss='squared_error' on np.log1p(X)"
    return (
        "Likely causes: features that are not scaled (the largest absolute value of X is "
        f"{largest_value(X):.3g}; try {remedy}), or {rate}."
    )
