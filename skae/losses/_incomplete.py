"""Numbers that may be missing: whether they are, and which they are if not."""

import torch
from torch import Tensor

from ._likelihood import Likelihood
from ._likelihoods import LIKELIHOODS, BernoulliLikelihood


class IncompleteLikelihood(Likelihood):
    """Any likelihood of numbers, and Bernoulli's of whether they are missing.

    The first half of the columns are numbers, the second half ones where they are missing, which
    :class:`BernoulliLikelihood` is of. A number that is missing may have any value there; it costs
    nothing.

    Parameters
    ----------
    likelihood : str or Likelihood, default="gaussian"
        That of the numbers. The probability of a cell may depend on no other cell.
    """

    def __init__(self, likelihood: str | Likelihood = "gaussian") -> None:
        super().__init__()
        self.likelihood = LIKELIHOODS[likelihood]() if isinstance(likelihood, str) else likelihood
        self.missing = BernoulliLikelihood()
        self.n_parameters = self.likelihood.n_parameters

    def _split(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the decoder gave for numbers, and for whether they are missing."""
        blocks = output.unflatten(-1, (self.n_parameters, 2, -1))
        return blocks[..., 0, :].flatten(-2), blocks[..., 0, 1, :]

    def _observed(self, target: Tensor) -> Tensor:
        """Return numbers, NaN where they are missing."""
        numbers, missing = target.chunk(2, -1)
        return numbers.masked_fill(missing > 0.5, torch.nan)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        of_numbers, of_missing = self._split(output)
        numbers, missing = self._observed(target), target.chunk(2, -1)[1]
        hidden = numbers.isnan()
        # What a missing cell hands back is NaN, and zero times NaN too: nothing may pass here.
        blocked = torch.cat([hidden] * self.n_parameters, -1)
        of_numbers = torch.where(blocked, of_numbers.detach(), of_numbers)
        logs = self.likelihood.log_prob(of_numbers, numbers).masked_fill(hidden, 0)
        return torch.cat([logs, self.missing.log_prob(of_missing, missing)], -1)

    def sample(self, output: Tensor) -> Tensor:
        of_numbers, of_missing = self._split(output)
        return torch.cat([self.likelihood.sample(of_numbers), self.missing.sample(of_missing)], -1)

    def mean(self, output: Tensor) -> Tensor:
        of_numbers, of_missing = self._split(output)
        return torch.cat([self.likelihood.mean(of_numbers), self.missing.mean(of_missing)], -1)

    def residual(self, output: Tensor, target: Tensor) -> Tensor:
        numbers, missing = self.mean(output).chunk(2, -1)
        lacks = self._observed(target) - numbers
        return torch.cat([lacks, target.chunk(2, -1)[1] - missing], -1)

    def link(self, target: Tensor) -> Tensor:
        numbers, missing = target.chunk(2, -1)
        return torch.cat([self.likelihood.link(numbers), self.missing.link(missing)], -1)

    def check_target(self, X: Tensor) -> None:
        self.likelihood.check_target(self._observed(X))
        self.missing.check_target(X.chunk(2, -1)[1])

    def set_optimal_variance(self, mean_squares: Tensor) -> None:
        self.likelihood.set_optimal_variance(mean_squares.chunk(2, -1)[0])
