"""Methods of fitted estimators as modules of torch, without a branch on data: what is exported."""

from typing import Any

import torch
from torch import Tensor, nn

from ..losses import Likelihood
from ._views import ColumnsView, UnitsView


class CodeGraph(nn.Module):
    """Methods of an estimator with codes; each takes a tensor and returns one.

    Parameters
    ----------
    estimator : BaseAutoencoder
        Fitted, on the CPU. Its network computes in float32 from now on.
    """

    def __init__(self, estimator: Any) -> None:
        super().__init__()
        self.module = estimator.module_.float()
        self.criterion = estimator.net_.criterion_.float()
        self.n_features, self.n_codes = estimator.n_features_in_, estimator._n_features_out
        self.code_unit, self.error_unit = 1.0, estimator._fitted_recipe.error_unit
        if hasattr(estimator, "_columns"):
            self.view: Any = ColumnsView(estimator._columns)
        else:
            units = estimator._units
            self.view = UnitsView(units, estimator._limits)
            self.code_unit = 1.0 if units is None else units.code

    def width_of(self, method: str) -> int:
        """Return the number of columns that a method takes."""
        return self.n_codes if method == "inverse_transform" else self.n_features

    def transform(self, x: Tensor) -> Tensor:
        code = self.module.encode(self.view(x))
        return (code.double() * self.code_unit).to(x.dtype)

    def inverse_transform(self, z: Tensor) -> Tensor:
        code = (z.double() / self.code_unit).float()
        return self.view.undo(self.criterion.mean(self.module.decode(code))).to(z.dtype)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.inverse_transform(self.transform(x))

    def score_samples(self, x: Tensor) -> Tensor:
        x = self.view(x)
        output = self.module.decode(self.module.encode(x))
        if isinstance(self.criterion, Likelihood):
            return self.criterion.log_prob(output, x).double().sum(1)
        # Squares may overflow in float32.
        errors = self.criterion.elementwise(output.double(), x.double())
        return errors.mean(1) * -self.error_unit


class DenoisingGraph(nn.Module):
    """A denoiser of rows.

    Parameters
    ----------
    estimator : AutoencoderDenoiser
        Fitted, on the CPU. Its network computes in float32 from now on.
    """

    def __init__(self, estimator: Any) -> None:
        super().__init__()
        self.module = estimator.module_.float()
        self.criterion = estimator.net_.criterion_.float()
        self.n_features, self.fills = estimator.n_features_in_, estimator._fills
        self.view = UnitsView(estimator._fitted_recipe.units, estimator._limits)

    def width_of(self, method: str) -> int:
        """Return the number of columns that a method takes."""
        return self.n_features

    def transform(self, x: Tensor) -> Tensor:
        output = self.criterion.mean(self.module.decode(self.module.encode(self.view(x))))
        rows = self.view.undo(output).to(x.dtype)
        return torch.where(x.isnan(), rows, x) if self.fills else rows
