"""Missing cells filled by all models together: once, or many times by draws."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..networks._normal import completed, conditional_covariances, wide
from ._kernels import KernelMachines
from ._spread import Spread, combined

_LEAST_SHARE_OF_DIAGONAL = 0.02
_LEAST_PROBABILITY = 1e-6


def filled(module: Any, x: Tensor, spread: Spread, machines: KernelMachines | None) -> Tensor:
    """Fill missing cells.

    Parameters
    ----------
    module : ImputingEnsemble
        The networks.
    x : Tensor of shape (n_rows, n_columns)
        Coded rows, NaN where cells are missing.
    spread : Spread
        How much of the corrections to believe.
    machines : KernelMachines or None
        Further corrections.

    Returns
    -------
    Tensor of shape (n_rows, n_columns + n_numbers)
        Means of numbers and probabilities of categories, then standard deviations of numbers.
    """
    guess, scale = module.first_guess(x)
    numbers, shares, scale = combined(module, *module.members(x, guess, scale))
    moves = machines.moves(guess, x.isnan()) if machines else torch.zeros_like(guess)
    steps = numbers - guess[:, : module.n_numbers]
    numbers = spread.corrected(guess, moves, steps)
    return torch.cat([numbers, spread.probabilities(guess, moves, shares), scale], 1)


def drawn(
    module: Any,
    x: Tensor,
    normals: Sequence[tuple[Tensor, Tensor]],
    spread: Spread,
    machines: KernelMachines | None,
    generator: torch.Generator,
) -> Tensor:
    """Draw missing cells, once for each of several normal distributions.

    Errors of numbers have the distribution of those of held-out cells, and hang together as under
    the normal distributions. Networks are asked in turn.

    Parameters
    ----------
    module : ImputingEnsemble
        The networks.
    x : Tensor of shape (n_rows, n_columns)
        Coded rows, NaN where cells are missing.
    normals : sequence of tuple of two Tensors
        Means and precisions of normal distributions that were fitted to resampled rows; the first
        guess of each draw.
    spread : Spread
        Errors of held-out cells.
    machines : KernelMachines or None
        Corrections besides those of the networks.
    generator : torch.Generator on the CPU
        The only source of randomness.

    Returns
    -------
    Tensor of shape (n_rows, n_draws, n_columns)
        Numbers, and logits of categories of which the highest is drawn.
    """
    m, missing = module.n_numbers, x.isnan()
    guess, scale = module.first_guess(x)
    output, log_scale = module.members(x, guess, scale)
    moves = machines.moves(guess, missing) if machines else torch.zeros_like(guess)
    precision = torch.stack([each for _, each in normals]).mean(0).to(x)
    covariance = conditional_covariances(missing, wide(precision))[:, :m, :m]
    diagonal = torch.diag_embed(covariance.diagonal(dim1=1, dim2=2))
    covariance = torch.lerp(covariance, diagonal, _LEAST_SHARE_OF_DIAGONAL)
    covariance = covariance + torch.diag_embed((~missing[:, :m]).to(covariance))
    factors = torch.linalg.cholesky(covariance)
    deviations = covariance.diagonal(dim1=1, dim2=2).sqrt()
    draws = []
    for i, (mean, precision) in enumerate(normals):
        member = i % len(output)
        other, _ = completed(wide(x), wide(mean.to(x)), wide(precision.to(x)))
        normal = torch.randn((len(x), m, 1), generator=generator).to(factors)
        together = (factors @ normal)[..., 0] / deviations
        errors = spread.quantiles(torch.special.ndtr(together)).to(x.dtype)
        steps = output[member, :, :m] - guess[:, :m]
        numbers = spread.corrected(other.to(x), moves, steps) + errors * log_scale[member].exp()
        shares = spread.probabilities(guess, moves, module.probabilities(output[member]))
        logits = shares.clamp(min=_LEAST_PROBABILITY).log()
        uniform = torch.rand(logits.shape, generator=generator).to(x).clamp(1e-12, 1 - 1e-7)
        draws.append(torch.cat([numbers, logits - uniform.log().neg().log()], 1))
    return torch.stack(draws, 1)
