"""Reconstruction losses: how far the output of a decoder lies from the data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ReconstructionLoss(nn.Module):
    """Base class: an error for every cell of a batch, and the units of the decoder's output.

    A new loss overrides :meth:`elementwise`, and :meth:`mean` and :meth:`link` when its decoder
    works on another scale than the data (log-odds, log-rates).

    Attributes
    ----------
    n_parameters : int
        How many numbers the decoder gives for every feature.
    """

    n_parameters = 1

    def __init__(self) -> None:
        super().__init__()

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the error of every cell.

        Parameters
        ----------
        output, target : Tensor of shape (n_samples, n_features)
            What the decoder gave, and the data.

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
        output : Tensor of shape (n_samples, n_features)
            What the decoder gave.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            The expected data.
        """
        return output

    def link(self, target: Tensor) -> Tensor:
        """Return finite decoder outputs that stand for `target`: a rough inverse of :meth:`mean`.

        Parameters
        ----------
        target : Tensor of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Outputs; networks start from a linear model of them.
        """
        return target

    def check_target(self, X: Tensor) -> None:
        """Raise ValueError when the loss is not defined on values of `X`.

        Parameters
        ----------
        X : Tensor
            Data, or the stored values of sparse data.
        """

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

    def __init__(self, bounds: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.bounds = bounds

    def get_extra_state(self) -> dict[str, Any]:
        """Return what ``state_dict`` holds besides tensors."""
        return {"bounds": self.bounds}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`get_extra_state` returned."""
        self.bounds = state["bounds"]

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        return (self.mean(output) - target).square()

    def mean(self, output: Tensor) -> Tensor:
        return output if self.bounds is None else output.clamp(*self.bounds)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        if self.bounds is not None:
            output = output + (output.clamp(*self.bounds) - output).detach()
        return F.mse_loss(output, target)

    def with_gradient(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        if type(self) is not SquaredError:  # a subclass may have another error
            return super().with_gradient(output, target)
        residual = self.mean(output) - target
        return residual.square().mean(), residual.mul_(2 / residual.numel())


class ObservedSquaredError(ReconstructionLoss):
    """Squared error over the cells whose target is not NaN; the others cost nothing."""

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).masked_fill(target.isnan(), 0).square()

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        n_observed = target.isfinite().sum().clamp(min=1)
        return self.elementwise(output, target).sum() / n_observed


class AbsoluteError(ReconstructionLoss):
    """Absolute error: reconstructs medians, unmoved by single wild cells."""

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs()


class HuberLoss(ReconstructionLoss):
    """Squared error for small residuals, absolute error for large ones.

    Parameters
    ----------
    delta : float, default=1.0
        Residual at which the one passes into the other, in the units of the data.
    """

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        if not delta > 0:
            raise ValueError(f"delta={delta!r} of the Huber loss must be above 0")
        self.delta = delta

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(output, target, reduction="none", delta=self.delta)


class BernoulliLoss(ReconstructionLoss):
    """Binary cross-entropy on log-odds, for values in [0, 1], less its least possible value.

    What is subtracted, the entropy of the target, does not depend on the network and is zero for
    binary data; so a perfect reconstruction has the error 0 for all data.
    """

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        cross_entropy = F.binary_cross_entropy_with_logits(output, target, reduction="none")
        entropy = -(torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target))
        return (cross_entropy - entropy).clamp(min=0)

    def mean(self, output: Tensor) -> Tensor:
        return output.sigmoid()

    def link(self, target: Tensor) -> Tensor:
        return torch.logit(target, eps=0.05)

    def check_target(self, X: Tensor) -> None:
        check_range(X, "loss='bernoulli'", "in [0, 1]", 0.0, 1.0)


class PoissonLoss(ReconstructionLoss):
    """Half the Poisson deviance on log-rates, for counts."""

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        deviance = torch.xlogy(target, target) - target - (target * output - output.exp())
        return deviance.clamp(min=0)

    def mean(self, output: Tensor) -> Tensor:
        return output.exp()

    def link(self, target: Tensor) -> Tensor:
        return (target + 0.5).log()

    def check_target(self, X: Tensor) -> None:
        check_range(X, "loss='poisson'", "non-negative", 0.0, float("inf"))


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


class ColumnLosses(ReconstructionLoss):
    """Different losses for different columns of a mixed table.

    Parameters
    ----------
    parts : sequence of (str or ReconstructionLoss, array-like of int)
        A loss and the indices of its columns; together they name every column once.
    """

    restore: Tensor

    def __init__(self, parts: Sequence[tuple[str | ReconstructionLoss, Any]]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            LOSSES[part]() if isinstance(part, str) else part for part, _ in parts
        )
        columns = [torch.as_tensor(index, dtype=torch.long) for _, index in parts]
        for i, index in enumerate(columns):
            self.register_buffer(f"columns_{i}", index, persistent=False)
        self.register_buffer("restore", torch.argsort(torch.cat(columns)), persistent=False)

    def _split(self, *tensors: Tensor) -> Iterator[tuple[Any, ...]]:
        for i, loss in enumerate(self.parts):
            index = getattr(self, f"columns_{i}")
            yield loss, *(tensor[:, index] for tensor in tensors)

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        errors = [loss.elementwise(o, t) for loss, o, t in self._split(output, target)]
        return torch.cat(errors, dim=1)[:, self.restore]

    def mean(self, output: Tensor) -> Tensor:
        return torch.cat([loss.mean(o) for loss, o in self._split(output)], dim=1)[:, self.restore]

    def link(self, target: Tensor) -> Tensor:
        return torch.cat([loss.link(t) for loss, t in self._split(target)], dim=1)[:, self.restore]

    def check_target(self, X: Tensor) -> None:
        for loss, part in self._split(X):
            loss.check_target(part)


LOSSES: Mapping[str, type[ReconstructionLoss]] = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": HuberLoss,
    "bernoulli": BernoulliLoss,
    "poisson": PoissonLoss,
}


def check_range(
    X: Tensor, choice: str, wanted: str, low: float, high: float, whole: bool = False
) -> None:
    """Raise ValueError when values lie outside of a range, or are not whole numbers.

    Parameters
    ----------
    X : Tensor
        Values.
    choice : str
        The parameter and its value that ask for the range, for the message.
    wanted : str
        What values it needs, for the message.
    low, high : float
        Least and largest value allowed.
    whole : bool, default=False
        Whether values must be whole numbers.
    """
    if X.numel() == 0:
        return
    least, most = X.aminmax()
    if least < low or most > high:
        raise ValueError(
            f"{choice} needs values {wanted}, but X reaches from {float(least):.6g} to "
            f"{float(most):.6g}"
        )
    if whole and (broken := X.round() != X).any():
        raise ValueError(f"{choice} needs values {wanted}, but X has {float(X[broken][0]):.6g}")
