"""What all estimators with a network of their own share: the fit template, inference and state."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.utils import check_random_state, get_tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted, validate_data
from torch import Tensor, nn

from .losses import ReconstructionLoss
from .networks import ACTIVATIONS, NETWORKS
from .training import (
    OPTIMIZERS,
    AutoencoderNet,
    BestWeights,
    NestedParamsMixin,
    NonFiniteLossError,
    Recipe,
    Rows,
    ScikitLearnCallbacks,
    accepted_names,
    agree_on,
    auto_epochs,
    check_batch_normalization,
    checked_rows,
    copied_net,
    inference_rows,
    largest_value,
    losses_of,
    new_net,
    resolve_device,
    split_rows,
)

DTYPES = [np.float64, np.float32]
_ROW_MULTIPLE = 32  # with it, a row's result has the same last bits whatever rows stand beside it


class BaseAutoencoder(
    NestedParamsMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base of the estimators that train a network.

    A subclass names its parameters in ``__init__``, and says in :meth:`_recipe` what its net is
    built from. Everything public validates its input once and works through a private twin.
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
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

    def _common_params(
        self, n_features: int, n_components: int, auto_sizes: tuple[int, ...]
    ) -> dict[str, Any]:
        """Return the parameters of the net that all estimators have."""
        return {
            "lr": self.lr,
            "batch_size": self.batch_size,
            "callbacks": list(self.callbacks or []),
            "verbose": int(self.verbose),
            "iterator_valid__batch_size": inference_rows(n_features),
            **self._module_params(n_features, n_components, auto_sizes),
        }

    _auto_steps = 2000  # that max_epochs="auto" aims at

    def _recipe(self, X: Any) -> Recipe:
        """Resolve the parameters for the training data: what the net is built from."""
        raise NotImplementedError

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        """Return an input as an array or CSR; see :func:`checked_input`."""
        return checked_input(self, X, reset=reset)

    def _adapt(self, X: Any) -> None:
        """Look at new data before a training goes on with them."""

    def _rows(
        self, X: Any, dtype: torch.dtype, device: torch.device, loss: ReconstructionLoss
    ) -> Rows:
        """Return the rows to train on, as the network sees them."""
        return checked_rows(X, dtype, device, loss)

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        """Return further fitted attributes, from the trained net and all rows."""
        return {}

    def _module_params(
        self, n_features: int, n_components: int, auto_sizes: tuple[int, ...]
    ) -> dict[str, Any]:
        """Return those of our parameters that the module's constructor names."""
        module = NETWORKS.get(self.module) if isinstance(self.module, str) else self.module
        if not isinstance(module, type):
            return {}
        if isinstance(self.hidden_layer_sizes, str):
            sizes = auto_sizes
        else:
            sizes = checked_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        ours = {
            "n_features": n_features,
            "n_components": n_components,
            "hidden_layer_sizes": sizes,
            "activation": self.activation,
        }
        for name in ours:
            if f"module__{name}" in self._nested_params:
                hint = "comes from X" if name == "n_features" else f"is set by {name}"
                raise ValueError(f"module__{name} can't be set, it {hint}")
        named = accepted_names(module) or ()
        return {f"module__{k}": v for k, v in ours.items() if k in named}

    # ------------------------------------------------------------------ fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Training data, finite numbers.
        y : Ignored
            Only handed on to callbacks: :class:`~sklearn.callback.ScoringMonitor` scores when it is
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
        return self._fit(X, y, go_on, self.max_epochs)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Train for one more pass over some rows, all of them: without early stopping.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Training data. The first call fixes the number of features.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, hasattr(self, "net_"), 1, once=True)

    def _fit(self, X: Any, y: Any, go_on: bool, max_epochs: int | str, once: bool = False) -> Self:
        train = self._go_on if go_on else self._start
        with attributes_kept_on_failure(self):
            X = self._checked(X, reset=not go_on)
            try:
                shown = {"X": X, "y": y}  # to callbacks
                context = train(X, shown, max_epochs, once)
            except NonFiniteLossError as error:
                raise ValueError(
                    f"Training stopped: {error}. Likely causes: features that are not scaled (the "
                    f"largest absolute value of X is {largest_value(X):.3g}; try StandardScaler or "
                    f"MinMaxScaler), or a learning rate that is too high (lr={self.lr:g})."
                ) from error
        context.call_on_fit_task_end(estimator=self, **shown)
        return self

    def _start(self, X: Any, shown: dict, max_epochs: int | str, once: bool) -> CallbackContext:
        """Build a new net, train it, and only then make it the estimator's own."""
        self._check_nested_params()
        recipe = self._recipe(X)
        device = resolve_device(self.device, getattr(torch, recipe.dtype))
        rows = self._rows(X, getattr(torch, recipe.dtype), device, recipe.make_loss())
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        seed = agree_on(int(seed))

        if max_epochs == "auto":
            search = not self.early_stopping
            max_epochs = auto_epochs(recipe, device, seed, rows, search, self._auto_steps)
        net, width = new_net(recipe, device, seed, rows)
        return self._train(net, rows, shown, max_epochs, once, recipe, _n_features_out=width)

    def _go_on(self, X: Any, shown: dict, max_epochs: int | str, once: bool) -> CallbackContext:
        """Train the fitted net further; if that fails, it is as before."""
        net, recipe = self.net_, self._fitted_recipe
        n_epochs, before = len(net.history), net.state(history=False)
        settings = {"lr": net.lr, "batch_size": net.batch_size}
        changed = {k: getattr(self, k) for k, v in settings.items() if getattr(self, k) != v}
        try:
            net.set_params(**changed)
            self._adapt(X)
            rows = self._rows(X, net.dtype, torch.device(net.device), net.criterion_)
            if max_epochs == "auto":
                max_epochs = self.max_epochs_
            recipe = replace(recipe, params={**recipe.params, **changed})
            return self._train(net, rows, shown, max_epochs, once, recipe)
        except BaseException:
            net.set_params(**{k: settings[k] for k in changed})
            net.load_state(before)
            del net.history[n_epochs:]
            raise

    def _train(
        self,
        net: AutoencoderNet,
        rows: Rows,
        shown: dict,
        max_epochs: int,
        once: bool,
        recipe: Recipe,
        **attributes: Any,
    ) -> CallbackContext:
        """Run the epochs under all callbacks, then set the fitted attributes."""
        train, valid = rows, None
        n_callbacks = len(net.callbacks_)
        if self.early_stopping and not once:
            # The same rows in a fit that goes on, or it would train on those it held out before.
            n_valid = self._count_validation_rows(len(rows))
            train, valid = split_rows(rows, n_valid, net.generator.initial_seed())
            best = BestWeights(self.n_iter_no_change, self.tol)
            net.callbacks_.append(("best_weights", best))

        check_batch_normalization(net, train)
        attributes["max_epochs_"] = max_epochs
        if "module__hidden_layer_sizes" in recipe.params:
            attributes["hidden_layer_sizes_"] = recipe.params["module__hidden_layer_sizes"]

        def fitted(net: AutoencoderNet) -> dict[str, Any]:
            return {**self._fitted_attributes(net, recipe), **attributes}

        context = self._init_callback_context(max_subtasks=max_epochs)
        context.call_on_fit_task_begin(estimator=self, **shown)
        if hasattr(self, "_skl_callbacks"):
            bridge = ScikitLearnCallbacks(
                self, context, shown, lambda n: fitted(copied_net(n, recipe))
            )
            net.callbacks_.append(("scikit_learn", bridge))
        try:
            net.fit_rows(train, valid, max_epochs)
        finally:
            del net.callbacks_[n_callbacks:]
        attributes |= self._finish(net, rows, shown["y"])
        for name in ("hidden_layer_sizes_", "validation_loss_curve_", "classes_"):
            vars(self).pop(name, None)
        vars(self).update(fitted(net))
        if not self.loss_curve_:
            self.loss_ = float(net.row_losses(rows).mean())
        return context

    def _count_validation_rows(self, n_rows: int) -> int:
        n_valid = math.ceil(n_rows * self.validation_fraction)
        if n_valid >= n_rows:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of n_samples={n_rows} leaves no "
                "row to train on; lower it, add rows, or set early_stopping=False"
            )
        return n_valid

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

    def _apply(self, X: Any, function: Callable[[nn.Module, Tensor], Tensor]) -> np.ndarray:
        """Call a function of module and batch on all rows of a checked array."""
        module, net, parts = self.module_, self.net_, []
        size = inference_rows(X.shape[1])
        with torch.inference_mode():
            for start in range(0, X.shape[0], size):
                rows = Rows(X[start : start + size], net.dtype, torch.device("cpu"))
                x = rows.take(slice(None))
                padding = -len(x) % _ROW_MULTIPLE
                padded = torch.cat([x, x[-1:].expand(padding, -1)]) if padding else x
                parts.append(function(module, padded.to(net.device))[: len(x)].cpu())
            result = torch.cat(parts).numpy()
        if not np.isfinite(result).all():
            raise ValueError(
                f"{type(self).__name__} computes in {str(net.dtype)[6:]}, in which the values of X "
                f"or of what the network makes of them are too large. Scale the features "
                "(StandardScaler, MinMaxScaler), or set dtype='float64'."
            )
        return result

    def transform(self, X: Any) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            The code, of the dtype of `X` (float64 unless `X` is float32).
        """
        X = self._checked(X)
        return self._apply(X, lambda m, x: m.encode(x)).astype(X.dtype, copy=False)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes, such as :meth:`transform` returns.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            What the codes stand for, in the units of the training data.
        """
        X = self._checked_codes(X)
        return self._decoded(X).astype(X.dtype, copy=False)

    def _checked_codes(self, X: Any) -> np.ndarray:
        """Return codes as an array, if the estimator is fitted and they are as wide as its own."""
        check_is_fitted(self)
        X = check_array(X, dtype=DTYPES, input_name="X")
        if X.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {X.shape[1]} columns, but the code of this {type(self).__name__} has "
                f"{self._n_features_out} components"
            )
        return X

    def _decoded(self, Z: np.ndarray) -> np.ndarray:
        """Return the expected rows, as the network sees them, for checked codes."""
        mean = self.net_.criterion_.mean
        return self._apply(Z, lambda m, z: mean(m.decode(z)))

    def reconstruct(self, X: Any) -> np.ndarray:
        """Encode rows and decode them again.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            What the network makes of them: ``inverse_transform(transform(X))``.
        """
        X = self._checked(X)
        mean = self.net_.criterion_.mean
        return self._apply(X, lambda m, x: mean(m.decode(m.encode(x)))).astype(X.dtype, copy=False)

    def _errors(self, module: nn.Module, x: Tensor) -> Tensor:
        """Errors of cells, in float64 where their squares overflow."""
        criterion = self.net_.criterion_
        criterion.check_target(x)
        output, elementwise = module.decode(module.encode(x)), criterion.elementwise
        errors = elementwise(output, x)
        if not errors.sum().isfinite() and x.device.type != "mps":  # which has no float64
            wide = elementwise(output.double(), x.double())
            errors = torch.where(errors.isfinite(), errors.double(), wide)
        return errors

    def feature_errors(self, X: Any) -> np.ndarray:
        """Return how much each feature contributes to the reconstruction error of each row.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Non-negative float64; the sum over a row is ``-score_samples(X)``.
        """
        X = self._checked(X)
        errors = self._apply(X, self._errors).astype(np.float64, copy=False)
        return errors / X.shape[1]

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the negative reconstruction error of each row.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,)
            Float64, the mean loss over the features times -1; higher is more like the training
            data.
        """
        return self._score_samples(self._checked(X))

    def _score_samples(self, X: Any) -> np.ndarray:
        return -self._apply(X, lambda m, x: self._errors(m, x).cpu().mean(1, dtype=torch.float64))

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean of :meth:`score_samples`.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Data.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        float
            Mean negative reconstruction error; higher is better.
        """
        return float(np.mean(self._score_samples(self._checked(X))))

    # ------------------------------------------------------------------ state

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__().copy()
        if "net_" in state:
            del state["module_"]
            state["net_"] = state["net_"].state()
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
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def checked_sizes(name: str, sizes: Any) -> tuple[int, ...]:
    """Return the widths of hidden layers as integers, if they are.

    Parameters
    ----------
    name : str
        The parameter, for the message.
    sizes : array-like of int
        Its value.

    Returns
    -------
    tuple of int
        The widths.
    """
    sizes = tuple(sizes)
    if not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(f"{name}={sizes} must all be at least 1, integers")
    return tuple(int(size) for size in sizes)


def checked_input(estimator: BaseEstimator, X: Any, *, reset: bool = False) -> Any:
    """Return the input of an estimator as an array or CSR, if it is fitted and `X` like its data.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
        What its method was given.
    reset : bool, default=False
        Whether `X` are training data that make the estimator forget those before.

    Returns
    -------
    ndarray or CSR matrix or array of shape (n_samples, n_features)
        Float64, or float32 if `X` is.
    """
    if not reset:
        check_is_fitted(estimator)
    finite: Any = "allow-nan" if get_tags(estimator).input_tags.allow_nan else True
    return validate_data(
        estimator, X, accept_sparse="csr", dtype=DTYPES, ensure_all_finite=finite, reset=reset
    )


@contextmanager
def attributes_kept_on_failure(estimator: BaseEstimator) -> Iterator[None]:
    """Undo what a fit has set if the rest of it fails.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        # scikit-learn has yet to close the callbacks of this fit.
        callbacks = {name: v for name, v in vars(estimator).items() if "_callback" in name}
        vars(estimator).clear()
        vars(estimator).update(before | callbacks)
        raise
