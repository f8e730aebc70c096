"""What denoisers minimise: the error of clean rows, or that of rows with other noise."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .._plain import registered
from ..training import Batch, Losses, Objective, Step

RATIO = 1.0  # of the noise that is added to that of noisy rows
_LEAST_ERROR = 1e-12


@registered
class Denoising(Objective):
    """The error of what the network makes of noisy rows, relative to that of the linear filter.

    It is the logarithm of 1 + e / f, where e is the squared error and f that which the filter is
    expected to leave where there is as much noise, or that which it expects itself, where it takes
    the row for a noisier one. So rows of little and of much noise count alike,
    as they do in a mean of peak signal-to-noise ratios, and single rows can't outweigh all others.

    Parameters
    ----------
    noise : skae.losses.Corruption or None
        Made where input and target are the same; pairs of noisy and clean rows have their own.
    """

    noise: Callable[[Tensor, torch.Generator], Tensor] | None

    def losses(self, step: Step) -> Losses:
        x, target = self._pair(step)
        output, left = step.module.corrected(x)
        errors = step.criterion.elementwise(output, target).mean(1)
        return Losses(self._scaled(errors, left, step.module, x, target), output=output)

    def _scaled(self, errors: Tensor, left: Tensor, module: Any, x: Tensor, target: Tensor) -> Any:
        # Where the filter takes texture for noise, corrections are too coarse for what noise there
        # is: the gradients of such rows would outweigh those of all others.
        unit = module.expected_error(x, target).maximum(left.mean(1))
        return (errors / unit.clamp(min=_LEAST_ERROR)).log1p()

    def _pair(self, step: Step) -> tuple[Tensor, Tensor]:
        x, target = step.batch
        if x is target and self.noise is not None:
            x = self.noise(x, step.generator)
        return x, target


@registered
class Recorrupted(Denoising):
    """The same towards rows with other noise: noisy ones, recorrupted twice.

    Of a row y with normal noise of standard deviation s, and z of standard deviation 1, input and
    target are ``y + a * s * z`` and ``y - s / a * z``, whose noises are independent, so that the
    loss is that of clean targets up to a constant; a is 1 (Pang et al.,
    "Recorrupted-to-Recorrupted: unsupervised deep learning for image denoising", CVPR 2021).

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise, as the network sees the rows.
    """

    sigma: float

    def _pair(self, step: Step) -> tuple[Tensor, Tensor]:
        return recorrupted(step.batch.target, self.sigma, step.generator)

    def _scaled(self, errors: Tensor, left: Tensor, module: Any, x: Tensor, target: Tensor) -> Any:
        # Not its logarithm: the noise of the target would no longer be a constant.
        unit = module.filter.expected_error(x.new_full((1, 1), self.sigma))
        return errors / unit.clamp(min=_LEAST_ERROR)


def recorrupted(
    y: Tensor, sigma: float | Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return two versions of noisy rows whose noises are independent.

    Parameters
    ----------
    y : Tensor of shape (n_samples, n_features)
        Noisy rows.
    sigma : float or Tensor of shape (n_samples, 1) or of `y`
        Standard deviation of their noise.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    input, target : Tensor of shape (n_samples, n_features)
        Each with more noise.
    """
    z = torch.empty_like(y).normal_(generator=generator)
    return y + RATIO * sigma * z, y - sigma / RATIO * z


def noisy_loss(
    module: Any,
    criterion: Any,
    batch: Batch,
    generator: torch.Generator,
    noise: Callable[[Tensor, torch.Generator], Tensor] | None,
) -> Tensor:
    """Return the squared error of each row where clean rows are not known.

    Parameters
    ----------
    module : DenoisingNetwork
        The network.
    criterion : skae.losses.ReconstructionLoss
        What its output is compared with rows by.
    batch : Batch
        Noisy rows, or rows with missing cells.
    generator : torch.Generator
        The only source of randomness.
    noise : Corruption or None
        What hides cells, which are then compared; None for rows with other noise than that.

    Returns
    -------
    Tensor of shape (n_samples,)
        Mean squared error of cells that were hidden; or that against the row, to which noise is
        added first.
    """
    y = batch.target
    if noise is not None:
        x = noise(y, generator)
        is_hidden = x.isnan() & ~y.isnan()
        errors = criterion.elementwise(module.decode(x), y).masked_fill(~is_hidden, 0)
        return errors.sum(1) / is_hidden.sum(1).clamp(min=1)
    level = module.filter(y).level
    x, target = recorrupted(y, level, generator)
    errors = criterion.elementwise(module.decode(x), target).mean(1)
    return errors - (level / RATIO).square().mean(1)
