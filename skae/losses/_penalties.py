"""Penalties on the code, added to the reconstruction loss in training."""

from typing import ClassVar

import torch
from torch import Tensor

from .._plain import registered


class Penalty:
    """Base class: a term of the training loss, a function of a batch and of its code."""

    needs_input_gradient: ClassVar[bool] = False

    def __call__(
        self, x: Tensor, code: Tensor, generator: torch.Generator, weight: Tensor | None = None
    ) -> Tensor:
        """Return the penalty of a batch.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Input of the encoder.
        code : Tensor of shape (n_samples, n_components)
            Output of the encoder.
        generator : torch.Generator
            The only source of randomness.
        weight : Tensor of shape (n_samples,) or None, default=None
            How much each row counts, 1 in the mean; only given if the rows have weights.

        Returns
        -------
        Tensor of shape ()
            The penalty, weighted.
        """
        raise NotImplementedError


@registered
class L1Sparsity(Penalty):
    """Mean absolute value of the code.

    Parameters
    ----------
    weight : float
        Factor of the penalty.
    """

    weight: float

    def __call__(
        self, x: Tensor, code: Tensor, generator: torch.Generator, weight: Tensor | None = None
    ) -> Tensor:
        return self.weight * _weighted(code.abs(), weight).mean()


@registered
class KLSparsity(Penalty):
    """Kullback-Leibler divergence between wanted and mean activity of the code's units.

    The activity of a unit is the mean over the batch of the logistic sigmoid of its code; see
    equation (11) of Ng, "Sparse autoencoder", CS294A lecture notes, 2011.

    Parameters
    ----------
    weight : float
        Factor of the penalty.
    target : float, default=0.05
        Wanted mean activity, between 0 and 1.
    """

    weight: float
    target: float = 0.05

    def __call__(
        self, x: Tensor, code: Tensor, generator: torch.Generator, weight: Tensor | None = None
    ) -> Tensor:
        activity = code.sigmoid()
        if weight is not None:  # a share must stay one, whatever the weights of a batch add up to
            activity = _weighted(activity, weight / weight.mean())
        activity = activity.mean(0).clamp(1e-6, 1 - 1e-6)
        p = self.target
        divergence = p * (p / activity).log() + (1 - p) * ((1 - p) / (1 - activity)).log()
        return self.weight * divergence.mean()


@registered
class ContractivePenalty(Penalty):
    """Squared Frobenius norm of the encoder's Jacobian, per component (Rifai et al., ICML 2011).

    The norm is estimated without bias from one random projection: for a vector v of independent
    standard normal numbers, ``E[|v' J|^2]`` is the squared norm of J.

    Parameters
    ----------
    weight : float
        Factor of the penalty.
    """

    needs_input_gradient: ClassVar[bool] = True

    weight: float

    def __call__(
        self, x: Tensor, code: Tensor, generator: torch.Generator, weight: Tensor | None = None
    ) -> Tensor:
        direction = torch.empty_like(code).normal_(generator=generator)
        (gradient,) = torch.autograd.grad((code * direction).sum(), x, create_graph=True)
        squares = _weighted(gradient.square(), weight).sum(1)
        return self.weight * squares.mean() / code.shape[1]


def _weighted(values: Tensor, weight: Tensor | None) -> Tensor:
    """Return what rows have, times their weights."""
    return values if weight is None else values * weight[:, None]
