"""One small estimator of each kind that a task can be, so that the common tests fit them all."""

from typing import Any, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
    clone,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skae._base import BaseAutoencoder, attributes_kept_on_failure
from skae.training import Recipe


class _Net(BaseAutoencoder):
    """A net of its own, with the parameters that every training has."""

    hidden_layer_sizes, activation = (8,), "tanh"

    def __init__(
        self,
        *,
        module: Any = "mlp",
        optimizer: Any = "adamw",
        lr: float = 2e-3,
        batch_size: int = 256,
        max_epochs: str | int = 2,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        callbacks: Any = None,
        device: Any = "auto",
        dtype: str = "float32",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.module = module
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose
        self._nested_params: dict[str, Any] = {}

    def _recipe(self, X: Any) -> Recipe:
        params = self._common_params(X.shape[1], 1, (8,))
        return Recipe(self.module, "squared_error", self.optimizer, self.dtype, params)

    def _restored(self, X: Any) -> np.ndarray:
        """Return what the network makes of rows."""
        X = self._checked(X)
        mean = self.net_.criterion_.mean
        return self._apply(X, lambda m, x: mean(m.decode(m.encode(x)))).astype(X.dtype, copy=False)


_Net._parameter_constraints = {
    name: BaseAutoencoder._parameter_constraints[name] for name in _Net().get_params()
}
_hidden = available_if(lambda estimator: False)(BaseAutoencoder.transform)


class Recommender(_Net, auto_wrap_output_keys=None):
    """Trains a net of its own, and gives neither codes nor errors."""

    transform = fit_transform = inverse_transform = get_feature_names_out = _hidden
    reconstruct = feature_errors = score_samples = score = _hidden

    def recommend(self, X: Any) -> np.ndarray:
        return self._restored(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags = None
        return tags


class Denoiser(OneToOneFeatureMixin, _Net):
    """Trains a net of its own, and gives rows for rows."""

    inverse_transform = reconstruct = feature_errors = score_samples = score = _hidden

    def transform(self, X: Any) -> np.ndarray:
        return self._restored(X)


class _HasModel(CallbackSupportMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Has a model, and gives rows for rows."""

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "transform"]), None],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator: Any = None, *, random_state: Any = None) -> None:
        self.estimator = estimator
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        with attributes_kept_on_failure(self):
            X = self._checked(X, reset=True)
            context = self._init_callback_context(max_subtasks=1)
            context.call_on_fit_task_begin(estimator=self, X=X, y=y)
            model = Denoiser() if self.estimator is None else clone(self.estimator)
            model.set_params(random_state=self.random_state)
            task = context.subcontext(task_name="fit-estimator")
            with task.propagate_callback_context(model):
                task.call_on_fit_task_begin(estimator=self, X=X, y=y)
                self._fit(model, X)
                task.call_on_fit_task_end(estimator=self, X=X, y=y)
        self.estimator_ = model
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def _checked(self, X: Any, reset: bool = False) -> Any:
        if not reset:
            check_is_fitted(self)
        tags = get_tags(self).input_tags
        return validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            accept_sparse="csr" if tags.sparse else False,
            ensure_all_finite="allow-nan" if tags.allow_nan else True,
        )


class Restorer(_HasModel):
    """Has a model, which is asked for every row."""

    def _fit(self, model: Any, X: Any) -> None:
        model.fit(X)

    def transform(self, X: Any) -> np.ndarray:
        return np.asarray(self.estimator_.transform(self._checked(X)))  # a frame where all are

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Imputer(_HasModel):
    """Has a model, which is asked for missing cells; dense rows only."""

    def _fit(self, model: Any, X: Any) -> None:
        self.means_ = np.nan_to_num(np.ma.masked_invalid(X).mean(axis=0).filled(0.0))
        model.fit(np.where(np.isnan(X), self.means_, X))

    def transform(self, X: Any) -> np.ndarray:
        X = self._checked(X)
        is_missing = np.isnan(X)
        filled = np.where(is_missing, self.means_.astype(X.dtype), X)
        return np.where(is_missing, self.estimator_.transform(filled), X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
