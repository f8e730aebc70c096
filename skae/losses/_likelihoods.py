"""Likelihoods of cells between 0 and 1 and of counts, and the table of all likelihoods."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    Distribution,
    NegativeBinomial,
    Poisson,
)
from torch.nn import functional as F

from .._stored import at_stored, row_sums
from ._categorical import CategoricalLikelihood
from ._discretized_logistic import DiscretizedLogisticLikelihood
from ._domains import Counts, Interval
from ._gaussian import GaussianLikelihood
from ._likelihood import LOG_LIMIT, Likelihood
from ._links import Log, Logit
from ._reconstruction import BernoulliLoss, PoissonLoss, ReconstructionLoss

_LARGEST_LOG_SIZE = 8.0  # beyond, differences of log-gamma functions cancel


class BernoulliLikelihood(Likelihood, BernoulliLoss):
    """Bernoulli distribution, on log-odds, for binary data.

    Values between 0 and 1 are taken as probabilities: in training they stand for zeros and ones,
    drawn anew in every step; afterwards for the expected log-probability.
    """

    def distribution(self, output: Tensor) -> Distribution:
        return Bernoulli(logits=output, validate_args=False)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        return target * output - F.softplus(output)

    def row_log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        if target.layout != torch.sparse_csr or output.ndim > 2:
            return super().row_log_prob(output, target)
        ones = row_sums(target, target.values() * at_stored(target, output))
        return ones - F.softplus(output).sum(-1)

    def draw_target(self, target: Tensor, generator: torch.Generator) -> Tensor:
        return torch.empty_like(target).bernoulli_(target, generator=generator)


class ContinuousBernoulliLikelihood(Likelihood):
    """Continuous Bernoulli distribution, for values in [0, 1] (Loaiza-Ganem & Cunningham, 2019).

    The decoder gives the logit of the parameter.
    """

    name = "continuous_bernoulli"
    link = Logit()
    domain = Interval(0, 1)

    def distribution(self, output: Tensor) -> Distribution:
        return ContinuousBernoulli(logits=output, validate_args=False)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        # The constant is C = y coth(y / 2), near 0 its Taylor series; torch clips probabilities.
        half = torch.where(output.abs() < 0.1, 1.0, output / 2)
        series = (2 + output.square() / 6).log()
        constant = torch.where(output.abs() < 0.1, series, (2 * half / half.tanh()).log())
        return target * output - F.softplus(output) + constant


class PoissonLikelihood(Likelihood, PoissonLoss):
    """Poisson distribution, on log-rates, for counts."""

    domain = Counts()

    def distribution(self, output: Tensor) -> Distribution:
        return Poisson(output.exp(), validate_args=False)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        return target * output - output.exp() - torch.lgamma(target + 1)


class NegativeBinomialLikelihood(Likelihood):
    """Negative binomial distribution, for counts that vary more than Poisson's.

    The decoder gives the logarithms of the mean m and of the size r; the variance is ``m + m^2 /
    r``.
    """

    name = "negative_binomial"
    n_parameters = 2
    link = Log()
    domain = Counts()
    mean = ReconstructionLoss.mean  # the product of size and odds would round

    def distribution(self, output: Tensor) -> Distribution:
        log_mean, log_size = output.chunk(2, -1)
        log_size = log_size.clamp(-LOG_LIMIT, _LARGEST_LOG_SIZE)
        return NegativeBinomial(log_size.exp(), logits=log_mean - log_size, validate_args=False)


LIKELIHOODS: Mapping[str, type[Likelihood]] = {
    likelihood.name: likelihood
    for likelihood in (
        GaussianLikelihood,
        BernoulliLikelihood,
        ContinuousBernoulliLikelihood,
        PoissonLikelihood,
        NegativeBinomialLikelihood,
        CategoricalLikelihood,
        DiscretizedLogisticLikelihood,
    )
}
