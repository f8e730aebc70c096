"""What all estimators that train a network share: the life of a fit, batches, state."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, _fit_context
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from ..training import ArrayRows, AutoencoderNet, Batch, BestWeights, Recipe, Rows
from ..training._callbacks import ScikitLearnCallbacks, losses_of
from ..training._device import resolve_device
from ..training._distributed import agree_on
from ..training._epoch import NonFiniteLossError
from ..training._nested import NestedParamsMixin
from ..training._recipe import OPTIMIZERS
from ..training._trainer import (
    auto_epochs,
    check_magnitude,
    check_targets,
    copied_net,
    largest_value,
    new_net,
    rolled_back_on_failure,
    run,
    split_rows,
)
from ._checks import attributes_kept_on_failure, checked_input

_ROW_MULTIPLE = 32  # with it, a row's result has the same last bits whatever rows stand beside it
_NOT_OF_EVERY_FIT = ("hidden_layer_sizes_", "loss_curves_", "validation_loss_curve_", "classes_")


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
    """

    X: Any
    y: Any
    max_epochs: int | str
    once: bool = False

    @property
    def shown(self) -> dict[str, Any]:
        """What callbacks get to see."""
        return {"X": self.X, "y": self.y}


class NetEstimator(NestedParamsMixin, CallbackSupportMixin, BaseEstimator):
    """Base of the estimators that train a network.

    A subclass names its parameters in ``__init__`` and fills hooks, of which only :meth:`_plan` is
    a must. A fit calls them in this order: :meth:`_checked_target`, :meth:`_checked`, :meth:`_plan`
    (or :meth:`_adapt`, if a training goes on), :meth:`_view`, :meth:`_auto_epochs`,
    :meth:`_prepared` and :meth:`_finish`. Everything public validates its input once and works
    through a private twin.
    """

    _parameter_constraints: dict = {
        "module": [str, callable, nn.Module],
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "dtype": [StrOptions({"float32", "float64"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # What is made anew from the rest of the state, and not stored.
    _derived_attributes: tuple[str, ...] = ("module_",)

    # What an estimator that does not show these parameters trains with.
    batch_size = 256
    callbacks: Any = None
    device: Any = "auto"
    early_stopping = False
    n_iter_no_change = 10
    tol = 1e-4
    validation_fraction = 0.1
    verbose = 0
    warm_start = False

    # ------------------------------------------------------------------ hooks

    def _checked_target(self, X: Any, y: Any) -> Any:
        """Return the target of a fit, before anything else is looked at."""
        return y

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        """Return data as an array or CSR; see :func:`checked_input`."""
        return checked_input(self, X, reset=reset)

    def _plan(self, X: Any) -> Recipe:
        """Resolve the parameters for checked training data: what the net is built from."""
        raise NotImplementedError

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        """Return the rows of checked data as the network sees them."""
        if training:
            check_magnitude(X, dtype)
        return ArrayRows(X, dtype, device, held=training)

    def _auto_epochs(self, recipe: Recipe, device: torch.device, seed: int, rows: Rows) -> int:
        """Choose the number of epochs."""
        return auto_epochs(recipe, device, seed, rows, search=not self.early_stopping)

    def _adapt(self, X: Any) -> None:
        """Look at new data before a training goes on with them."""

    def _prepared(self, net: AutoencoderNet, rows: Rows, max_epochs: int) -> Rows:
        """Return what to train on, once the network has seen the rows."""
        return rows

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        """Return further fitted attributes, from the trained net and all rows."""
        return {}

    # ------------------------------------------------------------------ fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Training data, finite numbers. Generators of rows take data frames with dates and
            categories too, and missing cells, and compressors of images an array or a list of
            images.
        y : array-like of shape (n_samples,), default=None
            For generators with ``conditional=True``, labels of the rows' classes. Otherwise only
            handed on to callbacks: :class:`~sklearn.callback.ScoringMonitor` scores when it is
            given, so ``fit(X, X)`` makes it score the reconstruction.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter does not fit the data, or the loss becomes infinite or NaN. An estimator
            that was fitted before stays as it was.
        """
        go_on = self.warm_start and hasattr(self, "net_")
        return self._fit(Fit(X, y, self.max_epochs), go_on)

    def _fit(self, fit: Fit, go_on: bool) -> Self:
        train = self._go_on if go_on else self._start
        with attributes_kept_on_failure(self):
            y = self._checked_target(fit.X, fit.y)
            X = self._checked(fit.X, reset=not go_on)
            fit = replace(fit, X=X, y=y)
            try:
                context = train(fit)
            except NonFiniteLossError as error:
                raise ValueError(
                    f"Training stopped: {error}. Likely causes: features that are not scaled (the "
                    f"largest absolute value of X is {largest_value(X):.3g}; try StandardScaler or "
                    f"MinMaxScaler), or a learning rate that is too high (lr={self.lr:g})."
                ) from error
        context.call_on_fit_task_end(estimator=self, **fit.shown)
        return self

    @property
    def _names(self) -> Any:
        """Names of the columns of a frame, None for an array."""
        return getattr(self, "feature_names_in_", None)

    def _training_params(self) -> dict[str, Any]:
        """Return the parameters of a net that say how it is trained."""
        return {
            "lr": self.lr,
            "batch_size": self.batch_size,
            "callbacks": list(self.callbacks or []),
            "verbose": int(self.verbose),
        }

    def _start(self, fit: Fit) -> CallbackContext:
        """Build a new net, train it, and only then make it the estimator's own."""
        self._check_nested_params()
        recipe = self._plan(fit.X)
        recipe = replace(recipe, params={**self._training_params(), **recipe.params})
        dtype = getattr(torch, recipe.dtype)
        device = resolve_device(self.device, dtype)
        rows = self._view(fit.X, dtype, device, training=True)
        check_targets(rows, recipe.make_loss(), self._names)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        seed = agree_on(int(seed))
        if fit.max_epochs == "auto":
            fit = replace(fit, max_epochs=self._auto_epochs(recipe, device, seed, rows))
        net, width = new_net(recipe, device, seed, rows)
        return self._train(net, rows, fit, recipe, _n_features_out=width)

    def _go_on(self, fit: Fit) -> CallbackContext:
        """Train the fitted net further; if that fails, it is as before."""
        net, recipe = self.net_, self._fitted_recipe
        settings = {name: getattr(self, name) for name in ("lr", "batch_size")}
        changed = {name: v for name, v in settings.items() if getattr(net, name) != v}
        with rolled_back_on_failure(net, **changed):
            self._adapt(fit.X)
            rows = self._view(fit.X, net.dtype, torch.device(net.device), training=True)
            check_targets(rows, net.criterion_, self._names)
            if fit.max_epochs == "auto":
                fit = replace(fit, max_epochs=self.max_epochs_)
            recipe = replace(recipe, params={**recipe.params, **changed})
            return self._train(net, rows, fit, recipe)

    def _train(
        self, net: AutoencoderNet, rows: Rows, fit: Fit, recipe: Recipe, **attributes: Any
    ) -> CallbackContext:
        """Run the epochs under all callbacks, then set the fitted attributes."""
        max_epochs = int(fit.max_epochs)
        rows = self._prepared(net, rows, max_epochs)
        train, valid, callbacks = self._split(net, rows, fit.once)
        attributes["max_epochs_"] = max_epochs
        if "module__hidden_layer_sizes" in recipe.params:
            attributes["hidden_layer_sizes_"] = recipe.params["module__hidden_layer_sizes"]

        def fitted(net: AutoencoderNet) -> dict[str, Any]:
            return {**self._fitted_attributes(net, recipe), **attributes}

        context = self._init_callback_context(max_subtasks=max_epochs)
        context.call_on_fit_task_begin(estimator=self, **fit.shown)
        if hasattr(self, "_skl_callbacks"):
            bridge = ScikitLearnCallbacks(
                self, context, fit.shown, lambda n: fitted(copied_net(n, recipe))
            )
            callbacks.append(("scikit_learn", bridge))
        run(net, train, valid, max_epochs, callbacks)
        attributes |= self._finish(net, rows, fit.y)
        for name in _NOT_OF_EVERY_FIT:
            vars(self).pop(name, None)
        vars(self).update(fitted(net))
        if not self.loss_curve_:
            self.loss_ = float(net.row_losses(rows).mean())
        return context

    def _split(
        self, net: AutoencoderNet, rows: Rows, once: bool
    ) -> tuple[Rows, Rows | None, list[tuple[str, Any]]]:
        """Return rows to train on, and with early stopping those held out and what watches them."""
        if once or not self.early_stopping:
            return rows, None, []
        n_valid = math.ceil(len(rows) * self.validation_fraction)
        if n_valid >= len(rows):
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of n_samples={len(rows)} leaves "
                "no row to train on; lower it, add rows, or set early_stopping=False"
            )
        # The same rows in a fit that goes on, or it would train on those it held out before.
        train, valid = split_rows(rows, n_valid, net.generator.initial_seed())
        return train, valid, [("best_weights", BestWeights(self.n_iter_no_change, self.tol))]

    def _fitted_attributes(self, net: AutoencoderNet, recipe: Recipe) -> dict[str, Any]:
        curve = losses_of(net.history, "train_loss")
        attributes = {
            "net_": net,
            "module_": net.averaged_module_,
            "device_": str(net.device),
            "n_iter_": len(net.history),
            "loss_": curve[-1] if curve else math.nan,
            "loss_curve_": curve,
            "_fitted_recipe": recipe,
        }
        if curves := {name: losses_of(net.history, name) for name in net.term_names}:
            attributes["loss_curves_"] = curves
        if validation := losses_of(net.history, "valid_loss"):
            attributes["validation_loss_curve_"] = validation
        return attributes

    # ------------------------------------------------------------------ inference

    def _apply(
        self, X: Any, function: Callable[[nn.Module, Batch], Tensor], size: int | None = None
    ) -> np.ndarray:
        """Call a function of module and batch on all rows of checked data."""
        return self._apply_to(self._view(X, self.net_.dtype, torch.device("cpu")), function, size)

    def _apply_to(
        self, rows: Rows, function: Callable[[nn.Module, Batch], Tensor], size: int | None = None
    ) -> np.ndarray:
        """Call a function of module and batch on all rows, some at a time."""
        module, net, parts = self.module_, self.net_, []
        with torch.inference_mode():
            for batch in rows.batches(size):
                padded = batch.padded(_ROW_MULTIPLE).to(net.device)
                parts.append(function(module, padded)[: len(batch)].cpu())
            result = torch.cat(parts).numpy()
        if not np.isfinite(result).all():
            raise ValueError(
                f"{type(self).__name__} computes in {str(net.dtype)[6:]}, in which the values of X "
                f"or of what the network makes of them are too large. Scale the features "
                "(StandardScaler, MinMaxScaler), or set dtype='float64'."
            )
        return result

    # ------------------------------------------------------------------ state

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__().copy()
        if "net_" in state:
            state["net_"] = state["net_"].state()
        for name in self._derived_attributes:
            state.pop(name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "net_" in state:
            try:
                device = resolve_device(self.device_)
            except ValueError:  # the device it was trained on is not here
                device = resolve_device("auto", getattr(torch, self._fitted_recipe.dtype))
            net = self._fitted_recipe.build(device)
            net.start_averaging()
            net.load_state(state["net_"])
            self.net_, self.module_, self.device_ = net, net.averaged_module_, str(device)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
