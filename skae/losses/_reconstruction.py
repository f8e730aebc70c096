"""Reconstruction losses: how far the output of a decoder lies from the data."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .._units import Units
from ._domains import Domain, Interval
from ._links import Identity, Link, Log, Logit


class ReconstructionLoss(nn.Module):
    """Base class: an error for every cell of a batch, and the units of the decoder's output.

    A new loss overrides :meth:`elementwise`. It has another `link` when its decoder works on
    another scale than the data (log-odds, log-rates), and another `domain` when it is not defined
    on all numbers.

    Attributes
    ----------
    name : str
        What estimators call it; its class is named in messages if it has none.
    n_parameters : int
        How many numbers the decoder gives for every feature, 1 or 2. Its output has ``n_parameters
        * n_features`` columns: the first parameter of all features, then the second.
    link : Link
        From data to the first parameter, and back.
    domain : Domain
        The values that the loss is defined on.
    degree : int or None
        Of a loss that knows no origin and no unit. Shifting output and target alike leaves it as it
        is; multiplying both, and its parameters, by c multiplies it by ``c**degree``. None if it is
        not so. A subclass with another :meth:`elementwise` is taken to have none unless it says so.
    """

    name = ""
    n_parameters = 1
    degree: int | None = None
    link: Callable[[Tensor], Tensor] = Identity()
    domain = Domain()
    _parameter = "loss"  # of estimators, which takes the name

    def __init__(self) -> None:
        super().__init__()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "elementwise" in vars(cls) and "degree" not in vars(cls):
            cls.degree = None

    def set_units(self, units: Units) -> None:
        """Take outputs and targets in other units than the parameters are in.

        Parameters
        ----------
        units : Units
            Those of the rows; for a loss without a `degree`, those of the data.
        """

    def knows_no_origin(self, n_features: int) -> np.ndarray:
        """Tell for which columns a shift of output and target leaves the loss as it is.

        Parameters
        ----------
        n_features : int
            Number of columns.

        Returns
        -------
        ndarray of shape (n_features,)
            Booleans.
        """
        return np.full(n_features, self.degree is not None)

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the error of every cell.

        Parameters
        ----------
        output : Tensor of shape (n_samples, n_parameters * n_features)
            What the decoder gave.
        target : Tensor of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Non-negative errors.
        """
        raise NotImplementedError

    def mean(self, output: Tensor) -> Tensor:
        """Return the reconstruction, in the units of the data, that `output` stands for.

        Parameters
        ----------
        output : Tensor of shape (n_samples, n_parameters * n_features)
            What the decoder gave.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            The expected data.
        """
        if not isinstance(self.link, Link):  # a function of one direction
            return output
        return self.link.inverse(output.chunk(self.n_parameters, -1)[0])

    def check_target(self, X: Tensor) -> None:
        """Raise ValueError when the loss is not defined on values of `X`.

        Parameters
        ----------
        X : Tensor
            Data, or the stored values of sparse data.
        """
        name = repr(self.name) if self.name else type(self).__name__
        self.domain.check(X, f"{self._parameter}={name}")

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the mean error over all cells, a scalar that can be differentiated."""
        return self.elementwise(output, target).mean()

    def with_gradient(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean error over all cells, and its gradient.

        Parameters
        ----------
        output, target : Tensor of shape (n_samples, n_features)
            What the decoder gave, and the data.

        Returns
        -------
        loss : Tensor of shape ()
            What ``forward`` returns.
        gradient : Tensor of shape (n_samples, n_features)
            Its gradient with respect to `output`.
        """
        with torch.enable_grad():
            output = output.detach().requires_grad_()
            loss = self(output, target)
            (gradient,) = torch.autograd.grad(loss, output)
        return loss.detach(), gradient


class SquaredError(ReconstructionLoss):
    """Squared error, the loss of PCA.

    Parameters
    ----------
    bounds : tuple of two floats or None, default=None
        Lowest and highest value of the data. Reconstructions are clipped to them, and an output
        beyond a bound on which its target lies costs nothing. The gradient passes the clip
        unchanged, so that no output gets stuck beyond a bound.
    """

    name = "squared_error"
    degree = 2
    bounds: tuple[Any, Any] | None

    def __init__(self, bounds: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.bounds = bounds

    def set_units(self, units: Units) -> None:
        if self.bounds is not None:
            low, high = ((bound - units.offset) / units.scale for bound in self.bounds)
            self.bounds = torch.from_numpy(low), torch.from_numpy(high)

    def get_extra_state(self) -> dict[str, Any]:
        """Return what ``state_dict`` holds besides tensors."""
        return {"bounds": self.bounds}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`get_extra_state` returned."""
        self.bounds = state["bounds"]

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        mean = self.mean(output)
        if self.bounds is not None and output.requires_grad:
            mean = mean.detach() + (output - output.detach())
        return (mean - target).square()

    def mean(self, output: Tensor) -> Tensor:
        if self.bounds is None:
            return output
        low, high = (b.to(output) if isinstance(b, Tensor) else b for b in self.bounds)
        return output.clamp(low, high)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        if self.bounds is not None:
            output = output + (self.mean(output) - output).detach()
        return F.mse_loss(output, target)

    def with_gradient(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        if type(self) is not SquaredError:  # a subclass may have another error
            return super().with_gradient(output, target)
        residual = self.mean(output) - target
        return residual.square().mean(), residual.mul_(2 / residual.numel())


class AbsoluteError(ReconstructionLoss):
    """Absolute error: reconstructs medians, unmoved by single wild cells."""

    name = "absolute_error"
    degree = 1

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs()


class HuberLoss(ReconstructionLoss):
    """Squared error for small residuals, absolute error for large ones.

    Parameters
    ----------
    delta : float, default=1.0
        Residual at which the one passes into the other, in the units of the data.
    """

    name = "huber"
    degree = 2

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        if not delta > 0:
            raise ValueError(f"delta={delta!r} of the Huber loss must be above 0")
        self.delta = delta

    def set_units(self, units: Units) -> None:
        self.delta = self.delta / units.scale

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(output, target, reduction="none", delta=self.delta)


class BernoulliLoss(ReconstructionLoss):
    """Binary cross-entropy on log-odds, for values in [0, 1], less its least possible value.

    What is subtracted, the entropy of the target, does not depend on the network and is zero for
    binary data; so a perfect reconstruction has the error 0 for all data.
    """

    name = "bernoulli"
    link = Logit()
    domain = Interval(0, 1)

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        cross_entropy = F.binary_cross_entropy_with_logits(output, target, reduction="none")
        entropy = -(torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target))
        return (cross_entropy - entropy).clamp(min=0)


class PoissonLoss(ReconstructionLoss):
    """Half the Poisson deviance on log-rates, for counts."""

    name = "poisson"
    link = Log()
    domain = Interval(0)

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        deviance = torch.xlogy(target, target) - target - (target * output - output.exp())
        return deviance.clamp(min=0)


class ElementwiseCriterion(ReconstructionLoss):
    """Adapter for a torch criterion such as :class:`torch.nn.SmoothL1Loss`.

    Parameters
    ----------
    criterion : nn.Module
        Called as ``criterion(output, target)``; must have a `reduction` attribute and give one
        error per cell under ``reduction="none"``.
    """

    def __init__(self, criterion: nn.Module) -> None:
        super().__init__()
        if not hasattr(criterion, "reduction"):
            raise TypeError(
                f"loss must be a name out of {sorted(LOSSES)}, a ReconstructionLoss or a torch "
                f"criterion with a `reduction` attribute, got {type(criterion).__name__}"
            )
        self.criterion = criterion
        self.criterion.reduction = "none"  # type: ignore[assignment]

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        errors = self.criterion(output, target)
        if errors.shape != target.shape:
            raise ValueError(
                f"loss={type(self.criterion).__name__} must give one error per cell, for "
                f"{tuple(target.shape)} cells it gave {tuple(errors.shape)}"
            )
        return errors


LOSSES: Mapping[str, type[ReconstructionLoss]] = {
    loss.name: loss for loss in (SquaredError, AbsoluteError, HuberLoss, BernoulliLoss, PoissonLoss)
}
