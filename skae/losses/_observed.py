"""Losses of rows with missing cells."""

import numpy as np
import torch
from torch import Tensor

from .._units import Units
from ._reconstruction import LOSSES, ReconstructionLoss


class Observed(ReconstructionLoss):
    """Any loss, over the cells whose target is not NaN; the others cost nothing.

    Parameters
    ----------
    loss : str or ReconstructionLoss, default="squared_error"
        Name in ``LOSSES`` or a loss. The error of a cell may depend on no other cell.
    """

    def __init__(self, loss: str | ReconstructionLoss = "squared_error") -> None:
        super().__init__()
        self.loss = LOSSES[loss]() if isinstance(loss, str) else loss
        self.n_parameters = self.loss.n_parameters

        self.degree = self.loss.degree

    def set_units(self, units: Units) -> None:
        self.loss.set_units(units)

    def knows_no_origin(self, n_features: int) -> np.ndarray:
        return self.loss.knows_no_origin(n_features)

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        missing = target.isnan()
        # What a missing cell hands back is NaN, and zero times NaN too: nothing may pass here.
        blocked = torch.cat([missing] * self.n_parameters, -1)
        output = torch.where(blocked, output.detach(), output)
        return self.loss.elementwise(output, target).masked_fill(missing, 0)

    def mean(self, output: Tensor) -> Tensor:
        return self.loss.mean(output)

    def link(self, target: Tensor) -> Tensor:
        return self.loss.link(target)

    def check_target(self, X: Tensor) -> None:
        self.loss.check_target(X)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        n_observed = target.isfinite().sum().clamp(min=1)
        return self.elementwise(output, target).sum() / n_observed
