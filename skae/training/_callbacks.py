"""skorch callbacks of our own, and the bridge to scikit-learn's callbacks."""

import math
from typing import Any

from skorch.callbacks import Callback

from ._distributed import mean_of_all
from ._state import to_arrays, to_tensors


class StopTraining(Exception):
    """Raised in a callback to end a training as if its last epoch were done."""


class BestWeights(Callback):
    """Ends a training that no longer improves on held-out rows, and restores its best weights.

    The weights before the first epoch take part in the comparison.

    Parameters
    ----------
    patience : int or float
        Number of epochs without improvement after which to stop.
    tol : float, default=0.0
        Least share of the loss by which an epoch must be better to count as an improvement.

    Attributes
    ----------
    best_epoch_ : int
        Number of epochs after which the loss was best.
    best_loss_ : float
        The best validation loss.
    stopped_ : bool
        Whether it ended the training.
    """

    def __init__(self, patience: float, tol: float = 0.0) -> None:
        self.patience = patience
        self.tol = tol

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Judge the weights that training starts from."""
        self.epoch_ = self.best_epoch_ = self.misses_ = 0
        self.stopped_ = False
        valid = net.get_split_datasets(X)[1]
        self.best_loss_ = valid.mean(net.row_losses(valid))
        if net.has_own_rows:
            self.best_loss_ = mean_of_all(self.best_loss_, len(valid))
        self.best_state_ = to_arrays(net.averaged_module_.state_dict())

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Keep the weights if they are the best so far, stop after too many misses."""
        self.epoch_ += 1
        loss = net.history[-1]["valid_loss"]
        enough = self.best_loss_ - self.tol * abs(self.best_loss_)
        self.misses_ = 0 if loss < enough else self.misses_ + 1
        if loss < self.best_loss_:
            self.best_loss_, self.best_epoch_ = loss, self.epoch_
            self.best_state_ = to_arrays(net.averaged_module_.state_dict())
        self.stopped_ = self.misses_ >= self.patience
        if self.stopped_:
            raise StopTraining

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Restore the best weights, also as the point from which a warm start goes on."""
        state = to_tensors(self.best_state_)
        net.averaged_module_.load_state_dict(state)
        net.module_.load_state_dict(state)
        del self.best_state_


class ScikitLearnCallbacks(Callback):
    """Tells scikit-learn's callbacks of every epoch.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    context : sklearn.callback.CallbackContext
        Context of its fit.
    shown : dict
        Training data `X` and target `y`.
    fitted_attributes : callable
        Called with the net, returns what a fitted estimator would have as attributes now.
    """

    def __init__(self, estimator: Any, context: Any, shown: Any, fitted_attributes: Any) -> None:
        self.estimator = estimator
        self.context = context
        self.shown = shown
        self.fitted_attributes = fitted_attributes

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open the context of an epoch."""
        self.epoch_context_ = self.context.subcontext(task_name="epoch")
        self.epoch_context_.call_on_fit_task_begin(estimator=self.estimator, **self.shown)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Close the context of an epoch, and stop if a callback asks for it."""
        if self.epoch_context_.call_on_fit_task_end(
            estimator=self.estimator,
            **self.shown,
            reconstruction_attributes=lambda: self.fitted_attributes(net),
        ):
            raise StopTraining


def losses_of(history: Any, name: str) -> list[float]:
    """Return one column of a net's history.

    Parameters
    ----------
    history : skorch.history.History
        History of a net.
    name : str
        "train_loss" or "valid_loss".

    Returns
    -------
    list of float
        Its value for every epoch, NaN where there is none; empty if no epoch has one.
    """
    values = [float(row.get(name, math.nan)) for row in history]
    return values if any(name in row for row in history) else []
