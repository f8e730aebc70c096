"""One small estimator of each kind that a task can be, so that the common tests fit them all."""

from typing import Any, Self

import numpy as np
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import HasMethods
from torch import nn

from skae._base import NetEstimator, PlainFit, checked_input
from skae._meta import HasModel
from skae.training import (
    ArrayRows,
    Losses,
    Objective,
    PairedRows,
    Recipe,
    Rows,
    SparseRows,
)


class _Net(PlainFit, NetEstimator):
    """A net of its own, with the parameters that every training has."""

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

    def _plan(self, X: Any) -> Recipe:
        params = {"module__n_features": X.shape[1], "module__n_components": 1}
        return Recipe(self.module, "squared_error", self.optimizer, self.dtype, params)

    def _outputs(self, X: Any) -> np.ndarray:
        """Return what the network makes of checked rows."""
        return self._apply(X, lambda m, batch: m.decode(m.encode(batch.input)))


class Denoiser(OneToOneFeatureMixin, TransformerMixin, _Net):
    """Gives rows for rows, and is trained on pairs of damaged and whole ones."""

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        rows = super()._view(X, dtype, device, training=training)
        return PairedRows(ArrayRows(0.9 * X, dtype, device), rows) if training else rows

    def transform(self, X: Any) -> np.ndarray:
        X = self._checked(X)
        return self._outputs(X).astype(X.dtype, copy=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class SparseNetwork(nn.Module):
    """Takes sparse rows as they are."""

    def __init__(self, n_features: int, n_components: int) -> None:
        super().__init__()
        self.items = nn.Parameter(torch.randn(n_features, n_components) / n_features)
        self.outer = nn.Linear(n_components, n_features)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        assert x.layout == torch.sparse_csr
        return torch.tanh(x @ self.items)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.outer(z)


class SparseError(Objective):
    """The squared error of sparse rows."""

    def losses(self, step: Any) -> Losses:
        x, target = step.batch
        output = step.module.decode(step.module.encode(x))
        return Losses((output - target.to_dense()).square().mean(1), output=output)


class Recommender(_Net):
    """Takes sparse rows, which stay so up to its network, and gives neither codes nor errors."""

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        return sparse.csr_array(super()._checked(X, reset=reset))

    def _plan(self, X: Any) -> Recipe:
        recipe = super()._plan(X)
        recipe.module, recipe.params["objective"] = SparseNetwork, SparseError()
        return recipe

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        return SparseRows(X, dtype, device)

    def recommend(self, X: Any) -> np.ndarray:
        return self._outputs(self._checked(X))


class _HasDenoiser(HasModel, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Has a model, and gives rows for rows."""

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "transform"]), None],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator: Any = None, *, random_state: Any = None) -> None:
        self.estimator = estimator
        self.random_state = random_state

    def _default_model(self) -> Denoiser:
        return Denoiser(random_state=self.random_state)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        with self._fitting(X, y) as (X, context):
            filled = self._filled(X, reset=True)
            self.estimator_ = self._fit_model(context, self._new_model(), filled)
        return self

    def _filled(self, X: Any, reset: bool = False) -> Any:
        return X

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Restorer(_HasDenoiser):
    """Has a model, which is asked for every row."""

    def transform(self, X: Any) -> np.ndarray:
        X = checked_input(self, X)
        return np.asarray(self.estimator_.transform(X))  # a frame where all are


class Imputer(_HasDenoiser):
    """Has a model, which is asked for missing cells; dense rows only."""

    def _filled(self, X: Any, reset: bool = False) -> Any:
        if reset:
            self.means_ = np.nan_to_num(np.ma.masked_invalid(X).mean(axis=0).filled(0.0))
        return np.where(np.isnan(X), self.means_.astype(X.dtype), X)

    def transform(self, X: Any) -> np.ndarray:
        X = checked_input(self, X)
        return np.where(np.isnan(X), self.estimator_.transform(self._filled(X)), X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.input_tags.allow_nan = False, True
        return tags
