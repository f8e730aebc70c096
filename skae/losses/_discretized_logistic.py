"""Equidistant values, as those of images of 8 bits: their domain and likelihood."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ._domains import Interval
from ._likelihood import LOG_LIMIT, Likelihood


@dataclass(frozen=True)
class Levels(Interval):
    """Equidistant numbers from `low` to `high`.

    Parameters
    ----------
    low, high : float
        Lowest and highest value.
    n_levels : int, default=256
        Number of values.
    """

    n_levels: int = 256

    @property
    def step(self) -> float:
        """Distance between neighbours."""
        return (self.high - self.low) / (self.n_levels - 1)

    @property
    def advice(self) -> str:
        """What to do with other values."""
        return "set bounds and n_levels to those of X"

    def rounded(self, x: Tensor) -> Tensor:
        """Return the nearest levels.

        Parameters
        ----------
        x : Tensor
            Numbers.

        Returns
        -------
        Tensor
            Levels, of the same shape.
        """
        steps = ((x - self.low) / self.step).round()
        return (steps * self.step + self.low).clamp(self.low, self.high)

    def check(self, X: Tensor, choice: str) -> None:
        super().check(X, choice)
        if ((X - self.rounded(X)).abs() > 0.01 * self.step).any():
            raise ValueError(
                f"{choice} needs values on {self.n_levels} equidistant levels from {self.low:g} to "
                f"{self.high:g}; {self.advice}"
            )


class DiscretizedLogisticLikelihood(Likelihood):
    """Logistic distribution, gathered to equidistant values: for images of 8 bits.

    The probability of a value is that of the interval around it, and the outermost two intervals
    have no outer end (Salimans et al., ICLR 2017, section 2.1, with one component). The decoder
    gives location and logarithm of the scale.

    Parameters
    ----------
    bounds : tuple of two floats, default=(0.0, 1.0)
        Lowest and highest value.
    n_levels : int, default=256
        Number of values.
    """

    name = "discretized_logistic"
    n_parameters = 2
    domain: Levels

    def __init__(self, bounds: tuple[float, float] = (0.0, 1.0), n_levels: int = 256) -> None:
        super().__init__()
        if not (bounds[0] < bounds[1] and n_levels >= 2):
            raise ValueError(
                f"bounds={bounds!r} must be increasing and n_levels={n_levels!r} at least 2"
            )
        self.bounds = bounds
        self.n_levels = n_levels
        self.domain = Levels(*bounds, n_levels)
        self.step = self.domain.step

    def _split(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return location and scale."""
        location, log_scale = output.chunk(2, -1)
        # Scales of less than a fiftieth of a step would be steps themselves.
        return location, log_scale.clamp(-LOG_LIMIT, LOG_LIMIT).exp() + self.step / 50

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        location, scale = self._split(output)
        above = (target + self.step / 2 - location) / scale
        below = (target - self.step / 2 - location) / scale
        # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), without cancellation
        width = (self.step / scale).expand_as(above)
        inside = F.logsigmoid(above) + F.logsigmoid(-below) + (-torch.expm1(-width)).log()
        half = self.step / 2
        low, high = target <= self.bounds[0] + half, target >= self.bounds[1] - half
        return torch.where(
            low, F.logsigmoid(above), torch.where(high, F.logsigmoid(-below), inside)
        )

    def sample(self, output: Tensor) -> Tensor:
        location, scale = self._split(output)
        drawn = location + scale * torch.logit(torch.rand_like(location), eps=1e-6)
        return self.domain.rounded(drawn)

    def mean(self, output: Tensor) -> Tensor:
        return self._split(output)[0].clamp(*self.bounds)
