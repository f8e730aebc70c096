"""What all estimators that train a network share: the life of a fit, batches, state."""

import math
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from .._settings import default_settings, inference
from ..training import ArrayRows, AutoencoderNet, Batch, BestWeights, PairedRows, Recipe, Rows
from ..training._callbacks import ScikitLearnCallbacks, losses_of
from ..training._device import resolve_device
from ..training._distributed import agree_on, take_over
from ..training._epoch import NonFiniteLossError
from ..training._nested import NestedParamsMixin
from ..training._recipe import OPTIMIZERS
from ..training._state import CANNOT_GO_ON
from ..training._trainer import (
    check_magnitude,
    check_targets,
    copied_net,
    new_net,
    rolled_back_on_failure,
    run,
    split_rows,
)
from ..training._trials import auto_epochs
from ._changes import OF_TRAINING, check_unchanged, fixed_params, training_params
from ._checks import attributes_kept_on_failure, check_out, checked_input
from ._convergence import likely_causes, warn_of_auto, warn_unless_stopped
from ._fit import Fit, checked_own, checked_targets, checked_valid
from ._state import StoresNet
from ._together import check_resumed, epochs_of_all, fitting_together, seed_of, with_common_sample

_NOT_OF_EVERY_FIT = ("hidden_layer_sizes_", "loss_curves_", "validation_loss_curve_", "classes_")


class NetEstimator(StoresNet, NestedParamsMixin, CallbackSupportMixin, BaseEstimator):
    """Base of the estimators that train a network.

    A subclass names its parameters in ``__init__``, takes its `fit` from `PlainFit` or
    `TakesWeights`, and fills hooks, of which only :meth:`_plan` is a must. A fit calls them in this
    order: :meth:`_checked_target`, :meth:`_checked`, :meth:`_plan` (or :meth:`_adapt`, if a
    training goes on), :meth:`_view`, :meth:`_settled`, :meth:`_auto_epochs`, :meth:`_prepared` and
    :meth:`_finish`. Everything public validates its input once and works through a private twin.
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

    # Parameters that a fit that goes on takes up, besides those of the optimizer and the like.
    _changeable: frozenset[str] = OF_TRAINING

    _auto_patience: int | None = None  # of the trial that "auto" makes, in epochs
    _takes_targets = False  # rows in `y` that the network is to give for `X`
    _takes_valid = True  # rows for early stopping to watch
    _takes_weights = False
    _takes_own_rows = False  # each process of a group rows that no other has
    _weights: Any = None  # of the rows of the present fit, if they do not all count alike

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

    def _settled(
        self, recipe: Recipe, device: torch.device, seed: int, rows: Rows, fit: Fit
    ) -> tuple[Recipe, Fit]:
        """Settle what the parameters leave to the rows."""
        if fit.max_epochs == "auto":
            n_epochs = self._auto_epochs(recipe, device, seed, rows)
            fit = replace(fit, max_epochs=n_epochs, is_auto=True)
        return recipe, fit

    def _auto_epochs(self, recipe: Recipe, device: torch.device, seed: int, rows: Rows) -> int:
        """Choose the number of epochs."""
        search, patience = not self.early_stopping, self._auto_patience
        n_epochs, is_too_few = auto_epochs(recipe, device, seed, rows, search, patience)
        if is_too_few:
            warn_of_auto(n_epochs)
        return n_epochs

    def _n_guards(self, n_rows: int) -> int:
        """Return how many rows to hold out so that training never ends above what it starts at."""
        return 0

    def _adapt(self, X: Any) -> None:
        """Look at new data before a training goes on with them."""

    def _prepared(self, net: AutoencoderNet, rows: Rows, max_epochs: int) -> Rows:
        """Return what to train on, once the network has seen the rows."""
        return rows

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        """Return further fitted attributes, from the trained net and all rows."""
        return {}

    # ------------------------------------------------------------------ fit

    def _fit(self, fit: Fit, go_on: bool | None = None) -> Self:
        go_on = self.warm_start and hasattr(self, "net_") if go_on is None else go_on
        train = self._go_on if go_on else self._start
        kept = attributes_kept_on_failure(self)
        with default_settings(), fitting_together(self) as check_alike, kept:
            fit = with_common_sample(fit.present())
            y = self._checked_target(fit.X, fit.y)
            X = self._checked(fit.X, reset=not go_on)
            targets = checked_targets(self, fit.X, X, y)
            valid = checked_valid(self, fit.valid, has_targets=targets is not None)
            check_alike(X, targets, fit.weights)
            fit = replace(fit, X=X, y=y, targets=targets, valid=valid, own=checked_own(self, fit))
            check_resumed(self, fit, go_on)
            fit = fit.as_rows() if self._takes_weights else fit
            self._weights = fit.weights
            try:
                context = train(fit)
            except NonFiniteLossError as error:
                domain = self._fitted_recipe.make_loss().domain
                causes = likely_causes(domain, X, self.lr)
                raise ValueError(f"Training stopped: {error}. {causes}") from error
            del self._weights
        context.call_on_fit_task_end(estimator=self, **fit.shown)
        return self

    @property
    def _names(self) -> Any:
        """Names of the columns of a frame, None for an array."""
        return getattr(self, "feature_names_in_", None)

    def _training_params(self) -> dict[str, Any]:
        """Return the parameters of a net that say how it is trained."""
        return training_params(self)

    def _pairs(
        self, X: Any, targets: Any, dtype: torch.dtype, device: torch.device, *, training: bool
    ) -> Rows:
        """Return the rows of checked data, with their targets if they have any."""
        rows = self._view(X, dtype, device, training=training)
        if targets is None:
            return rows
        return PairedRows(rows, self._view(targets, dtype, device, training=training))

    def _start(self, fit: Fit) -> CallbackContext:
        """Build a new net, train it, and only then make it the estimator's own."""
        self._check_nested_params()
        recipe = self._plan(fit.aims)
        recipe = replace(recipe, params={**self._training_params(), **recipe.params})
        recipe = replace(recipe, units=agree_on(recipe.units))
        self._fitted_recipe = recipe
        dtype = getattr(torch, recipe.dtype)
        device = resolve_device(self.device, dtype)
        rows = self._pairs(fit.X, fit.targets, dtype, device, training=True).weighted(fit.weights)
        check_targets(rows, recipe.make_loss(), self._names)
        seed = seed_of(self, fit)
        recipe, fit = self._settled(recipe, device, seed, rows, fit)
        fit = replace(fit, max_epochs=epochs_of_all(fit, recipe, len(rows), seed))
        net, width = new_net(recipe, device, seed, rows)
        return self._train(net, rows, fit, recipe, _n_features_out=width)

    def _go_on(self, fit: Fit) -> CallbackContext:
        """Train the fitted net further; if that fails, it is as before."""
        self._check_nested_params()
        check_unchanged(self, self._fitted_recipe)
        if not self.net_.can_go_on:
            raise ValueError(CANNOT_GO_ON.format(type(self).__name__))
        net, recipe = self.net_, self._fitted_recipe.trained_by(self._training_params())
        device = torch.device(net.device)
        if self.device != self._fitted_device:
            device = resolve_device(self.device, net.dtype)
        if recipe is not self._fitted_recipe or device != torch.device(net.device):
            net = copied_net(net, recipe, device)
        with rolled_back_on_failure(net):
            self._adapt(fit.aims)
            pairs = self._pairs(fit.X, fit.targets, net.dtype, device, training=True)
            rows = pairs.weighted(fit.weights)
            check_targets(rows, net.criterion_, self._names)
            if fit.max_epochs == "auto":
                fit = replace(fit, max_epochs=self.max_epochs_, is_auto=True)
            return self._train(net, rows, fit, recipe)

    def _train(
        self, net: AutoencoderNet, rows: Rows, fit: Fit, recipe: Recipe, **attributes: Any
    ) -> CallbackContext:
        """Run the epochs under all callbacks, then set the fitted attributes."""
        max_epochs = int(fit.max_epochs)
        rows = own = self._prepared(net, rows, max_epochs)
        if fit.own is not None:
            *pair, weights = fit.own
            own = self._pairs(*pair, net.dtype, torch.device(net.device), training=True)
            check_targets(own, net.criterion_, self._names)
            own = own.weighted_together(weights)
        take_over(net.module_, net.averaged_module_)
        train, valid, callbacks = self._split(net, own, fit)
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
        run(net, train, valid, max_epochs - fit.n_done, callbacks, fit.own is not None)
        if valid is not None and self.early_stopping:
            warn_unless_stopped(callbacks, max_epochs)
        attributes |= self._finish(net, rows, fit.y)
        for name in _NOT_OF_EVERY_FIT:
            vars(self).pop(name, None)
        vars(self).update(fitted(net))
        if not self.loss_curve_:
            self.loss_ = recipe.error_unit * rows.mean(net.row_losses(rows))
        return context

    def _split(
        self, net: AutoencoderNet, rows: Rows, fit: Fit
    ) -> tuple[Rows, Rows | None, list[tuple[str, Any]]]:
        """Return rows to train on and those held out, if any, with what watches them."""
        if fit.once or not self.early_stopping:
            n_valid = self._n_guards(len(rows)) if fit.is_auto else 0
            patience, tol = math.inf, 0.0
            if not n_valid:
                return rows, None, fit.callbacks
        else:
            n_valid = math.ceil(len(rows) * self.validation_fraction)
            patience, tol = self.n_iter_no_change, self.tol
        watch = ("best_weights", BestWeights(patience, tol))
        if fit.valid is not None:
            device = torch.device(net.device)
            valid = self._pairs(*fit.valid, net.dtype, device, training=False)
            return rows, valid.held_out(), [watch, *fit.callbacks]
        if n_valid >= len(rows):
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of n_samples={len(rows)} leaves "
                "no row to train on; lower it, add rows, or set early_stopping=False"
            )
        # The same rows in a fit that goes on, or it would train on those it held out before.
        train, valid = split_rows(rows, n_valid, net.generator.initial_seed())
        return train, valid, [watch, *fit.callbacks]

    def _fitted_attributes(self, net: AutoencoderNet, recipe: Recipe) -> dict[str, Any]:
        def losses(name: str) -> list[float]:
            return [recipe.error_unit * loss for loss in losses_of(net.history, name)]

        curve = losses("train_loss")
        attributes = {
            "net_": net,
            "module_": net.averaged_module_,
            "device_": str(net.device),
            "n_iter_": len(net.history),
            "loss_": curve[-1] if curve else math.nan,
            "loss_curve_": curve,
            "_fitted_recipe": recipe,
            "_fitted_params": fixed_params(self),
            "_fitted_device": self.device,
        }
        if curves := {name: losses(name) for name in net.term_names}:
            attributes["loss_curves_"] = curves
        if self.early_stopping and (validation := losses("valid_loss")):
            attributes["validation_loss_curve_"] = validation
        return attributes

    # ------------------------------------------------------------------ inference

    def _apply(
        self,
        X: Any,
        function: Callable[[nn.Module, Batch], Tensor],
        size: int | None = None,
        **where: Any,
    ) -> np.ndarray:
        """Call a function of module and batch on all rows of checked data."""
        rows = self._view(X, self.net_.dtype, torch.device("cpu"))
        return self._apply_to(rows, function, size, **where)

    def _apply_to(
        self,
        rows: Rows,
        function: Callable[[nn.Module, Batch], Tensor],
        size: int | None = None,
        *,
        then: Callable[[np.ndarray], np.ndarray] | None = None,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Call a function of module and batch on all rows, some at a time, and one on the parts."""
        module, net, start, is_finite = self.module_, self.net_, 0, True
        result: Any = out  # one array from the start, and not parts that would be copied into one
        with inference():
            for batch in rows.batches(size):
                padded = batch.padded(rows.row_multiple).to(net.device)
                part = function(module, padded)[: len(batch)].cpu().numpy()
                is_finite &= bool(np.isfinite(part).all())
                part = part if then is None else then(part)
                if out is not None and start == 0:
                    check_out(out, (len(rows), *part.shape[1:]), part.dtype)
                if result is None:
                    result = np.empty((len(rows), *part.shape[1:]), part.dtype)
                elif out is None and part.dtype != result.dtype:  # float64, where squares overflow
                    result = result.astype(np.promote_types(part.dtype, result.dtype), copy=False)
                result[start : start + len(part)] = part
                start += len(part)
        if not is_finite:
            raise ValueError(
                f"{type(self).__name__} computes in {str(net.dtype)[6:]}, in which the values of X "
                f"or of what the network makes of them are too large. Scale the features "
                "(StandardScaler, MinMaxScaler), or set dtype='float64'."
            )
        return result

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
