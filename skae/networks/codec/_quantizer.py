"""How finely coefficients are rounded at each level, and what that costs."""

import math
from typing import Any

import torch
from torch import Tensor, nn

N_LEVELS = 8
DEAD_ZONE, _RAMP = 0.38, 0.5
BIT_WEIGHT = 0.13  # squared steps that a bit is worth


class Quantizer(nn.Module):
    """Steps of rounding, for levels from 0 to ``N_LEVELS - 1`` and all between.

    Parameters
    ----------
    n_components : int
        Number of coefficients.
    coarsest, finest : float
        Steps of the first and of the last level, in the units of the coefficients.
    """

    def __init__(self, n_components: int, coarsest: float, finest: float) -> None:
        super().__init__()
        self.coarsest, self.finest = coarsest, finest
        self.gains = nn.Parameter(torch.zeros(2, N_LEVELS, n_components))

    @property
    def middle_step(self) -> float:
        """The step in the middle of all levels."""
        return math.sqrt(self.coarsest * self.finest)

    def step_size(self, level: Any) -> Any:
        """Return the step of a level, a float, or of several, a Tensor."""
        return self.coarsest * (self.finest / self.coarsest) ** (level / (N_LEVELS - 1))

    def steps(self, level: float) -> tuple[Tensor, Tensor]:
        """Return what coefficients are divided by before rounding, and multiplied by afterwards."""
        gains = (interpolated(self.gains[0], level), interpolated(self.gains[1], level))
        return self.step_size(level) * gains[0].exp(), self.step_size(level) * gains[1].exp()


def interpolated(weights: Tensor, level: float) -> Tensor:
    """Return weights between two levels.

    Parameters
    ----------
    weights : Tensor of shape (n_levels, ...)
        Weights of all levels.
    level : float
        From 0 to ``n_levels - 1``.

    Returns
    -------
    Tensor of shape (...)
        Weights of the level.
    """
    i = min(int(level), len(weights) - 2)
    return torch.lerp(weights[i], weights[i + 1], level - i)


def rounded(y: Tensor) -> Tensor:
    """Round towards zero, a little less than half of the way."""
    return y.sign() * (y.abs() + DEAD_ZONE).floor()


def code_length(magnitude: Tensor, scale: Tensor) -> Tensor:
    """Return the length of the code of numbers, rising steadily from each integer to the next.

    Below one it rises within a quarter of a step of where rounding goes up, because numbers that
    are surely rounded to zero cost no more than zero.

    Parameters
    ----------
    magnitude : Tensor
        Magnitudes, not rounded.
    scale : Tensor of the same shape
        Expected magnitudes.

    Returns
    -------
    Tensor
        In bits, under a Laplace distribution.
    """
    zero = -torch.log2(-torch.expm1((DEAD_ZONE - 1) / scale))
    slope = 1 / (scale * math.log(2))
    one = (1 - DEAD_ZONE) * slope + 1 - torch.log2(-torch.expm1(-1 / scale))
    rise = ((magnitude - (1 - DEAD_ZONE)) / _RAMP + 0.5).clamp(0, 1)
    return zero + (one - zero) * rise + slope * (magnitude - 1).clamp(min=0)
