"""What estimators with codes share: encoding, decoding, and the errors of what comes back."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import UNUSED
from torch import Tensor, nn

from .._units import Units, float_dtype
from .._weights import weighted_mean
from ..networks import ACTIVATIONS, NETWORKS
from ..training import ArrayRows, Batch, Rows
from ..training._rows import inference_rows
from ..training._trainer import check_magnitude
from ._checks import checked_codes, checked_input, given_weights
from ._module_params import module_params
from ._net_estimator import NetEstimator


class BaseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetEstimator):
    """Base of the estimators that encode rows and decode codes.

    All that it gives is made of three functions of the module and of what it is applied to:
    :meth:`_encoder`, :meth:`_decoder` and :meth:`_scores`.
    """

    _parameter_constraints: dict = {
        **NetEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
    }

    _takes_own_rows = True

    # `out` is an array to write to, and no metadata of the rows.
    __metadata_request__transform = {"out": UNUSED}

    # By name, the networks that the parameter `module` may ask for.
    _networks: Mapping[str, type[nn.Module]] = NETWORKS

    def _module_params(
        self, n_features: int, n_components: int, auto_sizes: tuple[int, ...]
    ) -> dict[str, Any]:
        """Return those of our parameters that the module's constructor names."""
        ours = {"n_features": n_features, "n_components": n_components}
        return module_params(self, self._networks, auto_sizes, **ours)

    @property
    def _units(self) -> Units | None:
        """What the rows that the network sees are measured in; None if in the units of the data."""
        return self._fitted_recipe.units

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        return checked_input(self, X, reset=reset, as_it_is=True)

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        units = self._units
        if training:
            check_magnitude(X, dtype if units is None else torch.float64)
        return ArrayRows(X, dtype, device, held=training, units=units)

    def _restored(self, matrix: np.ndarray, dtype: np.dtype, like: Any) -> Any:
        """Return what the network gave in the form of the training data."""
        if self._units is not None:
            matrix = self._units.undo(matrix)
        return matrix.astype(dtype, copy=False)

    # ------------------------------------------------------------------ functions of the module

    def _encoder(self, module: Any, x: Tensor) -> Tensor:
        """Return the codes of rows as the network sees them."""
        return module.encode(x)

    def _decoder(self, module: Any, z: Tensor) -> Tensor:
        """Return the expected rows, as the network sees them, of codes."""
        return self.net_.criterion_.mean(module.decode(z))

    def _scores(self, module: Any, batch: Batch) -> Tensor:
        """Return minus the mean error of each row."""
        errors = self._errors(module, batch).cpu().mean(1, dtype=torch.float64)
        return errors * -self._fitted_recipe.error_unit

    def _errors(self, module: Any, batch: Batch) -> Tensor:
        """Errors of cells in the units of the rows, in float64 where their squares overflow."""
        x, target = batch
        criterion = self.net_.criterion_
        criterion.check_target(target)
        output, elementwise = module.decode(module.encode(x)), criterion.elementwise
        errors = elementwise(output, target)
        if not errors.sum().isfinite() and x.device.type != "mps":  # which has no float64
            wide = elementwise(output.double(), target.double())
            errors = torch.where(errors.isfinite(), errors.double(), wide)
        return errors

    # ------------------------------------------------------------------ codes and back

    def transform(self, X: Any, *, out: np.ndarray | None = None) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : {array-like, data frame, CSR, RowSource} of shape (n_samples, n_features)
            Data, in the form of the training data.
        out : ndarray of shape (n_samples, n_components), default=None
            Where to write the codes, such as a memory map of a file; None makes a new array.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            The code, float64, or float32 if `X` is.
        """
        return self._encoded(self._checked(X), out)

    def _encoded(self, X: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Return the codes of checked rows, in the units of the data."""
        units, dtype = self._units, float_dtype(X)

        def in_units(codes: np.ndarray) -> np.ndarray:
            if units is not None:
                codes = np.multiply(codes, units.code, dtype=np.float64)
            return codes.astype(dtype, copy=False)

        return self._apply(
            X, lambda m, batch: self._encoder(m, batch.input), then=in_units, out=out
        )

    def inverse_transform(self, X: Any) -> Any:
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes, such as :meth:`transform` returns.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_features)
            What the codes stand for, in the units of the training data; a data frame if these had
            categories.
        """
        Z = checked_codes(self, X)
        return self._restored(self._decoded(Z), Z.dtype, X)

    def _decoded(self, Z: np.ndarray) -> np.ndarray:
        """Return the expected rows, as the network sees them, for checked codes."""
        if self._units is not None:
            Z = np.divide(Z, self._units.code, dtype=np.float64)
        rows = ArrayRows(Z, self.net_.dtype, torch.device("cpu"))
        size = inference_rows(max(self.n_features_in_, Z.shape[1]))
        return self._apply_to(rows, lambda m, batch: self._decoder(m, batch.input), size)

    def reconstruct(self, X: Any) -> Any:
        """Encode rows and decode them again.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data, in the form of the training data.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_features)
            What the network makes of them: ``inverse_transform(transform(X))``.
        """
        checked = self._checked(X)
        return self._restored(self._decoded(self._encoded(checked)), float_dtype(checked), X)

    def score_samples(self, X: Any, *, out: np.ndarray | None = None) -> np.ndarray:
        """Return how like the training data each row is, by how well it is reconstructed.

        Parameters
        ----------
        X : {array-like, data frame, CSR, RowSource} of shape (n_samples, n_features)
            Data, in the form of the training data.
        out : ndarray of shape (n_samples,), float64, default=None
            Where to write the scores; None makes a new array.

        Returns
        -------
        ndarray of shape (n_samples,)
            Float64, higher for rows that are more like the training data: the mean loss over the
            features times -1; by an estimator with a likelihood, the log-likelihood of the row
            given its own code, in nats, the sum over the columns as the network sees them.
        """
        return self._apply(self._checked(X), self._scores, out=out)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the mean of :meth:`score_samples`.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data, in the form of the training data.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        float
            Higher is better.
        """
        scores = self.score_samples(X)
        return weighted_mean(scores, given_weights(sample_weight, len(scores)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
