"""Likelihoods: the distribution of the data around the output of a decoder."""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    Distribution,
    NegativeBinomial,
    Normal,
    Poisson,
)
from torch.nn import functional as F

from ._reconstruction import (
    BernoulliLoss,
    PoissonLoss,
    ReconstructionLoss,
    check_range,
)

_LOG_LIMIT = 15.0  # of log-variances, log-scales and log-sizes
_LARGEST_LOG_SIZE = 8.0  # beyond, differences of log-gamma functions cancel


class Likelihood(ReconstructionLoss):
    """Base class: a distribution for every cell, whose parameters the decoder gives.

    A new likelihood overrides :meth:`distribution`, or :meth:`log_prob`, :meth:`sample` and
    :meth:`mean` where torch has no such distribution. Its error, :meth:`elementwise`, is minus the
    log-probability, in nats, and may be negative where the data are continuous.

    Attributes
    ----------
    n_parameters : int
        How many numbers the decoder gives for every feature, 1 or 2. Its output has ``n_parameters
        * n_features`` columns: the first parameter of all features, then the second.
    """

    def distribution(self, output: Tensor) -> Distribution:
        """Return the distribution of every cell.

        Parameters
        ----------
        output : Tensor of shape (..., n_parameters * n_features)
            What the decoder gave.

        Returns
        -------
        torch.distributions.Distribution
            Of batch shape (..., n_features).
        """
        raise NotImplementedError

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the logarithm of probability or density of every cell.

        Parameters
        ----------
        output : Tensor of shape (..., n_parameters * n_features)
            What the decoder gave.
        target : Tensor of shape (..., n_features)
            Data.

        Returns
        -------
        Tensor of shape (..., n_features)
            In nats.
        """
        return self.distribution(output).log_prob(target)

    def sample(self, output: Tensor) -> Tensor:
        """Draw every cell, from torch's global generators.

        Parameters
        ----------
        output : Tensor of shape (..., n_parameters * n_features)
            What the decoder gave.

        Returns
        -------
        Tensor of shape (..., n_features)
            Data.
        """
        return self.distribution(output).sample()

    def mean(self, output: Tensor) -> Tensor:
        return self.distribution(output).mean

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        return -self.log_prob(output, target)

    def draw_target(self, target: Tensor, generator: torch.Generator) -> Tensor:
        """Return the rows that a step trains on: the data, unless they stand for random ones.

        Parameters
        ----------
        target : Tensor of shape (n_samples, n_features)
            Data.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Data that the likelihood is meant for.
        """
        return target

    def set_optimal_variance(self, mean_squares: Tensor) -> None:
        """Take the variance from residuals, if there is one to be taken from them.

        Parameters
        ----------
        mean_squares : Tensor of shape (n_features,)
            Mean squared residuals of the training rows.
        """


class GaussianLikelihood(Likelihood):
    """Normal distribution around the output.

    Parameters
    ----------
    variance : float, "optimal" or "predicted", default="optimal"
        Variance of the noise, in the squared units of the data. A number is kept. "optimal" is the
        one that maximises the likelihood, in closed form: the mean squared residual, of each batch
        in training and of all training rows at its end (Rybkin et al., ICML 2021, equation 6).
        "predicted" lets the decoder say it for every cell.
    per_feature : bool, default=False
        Whether "optimal" is one variance for each feature, as in factor analysis, or one for all,
        as in probabilistic PCA.
    bounds : tuple of two floats or None, default=None
        Lowest and highest value of the data. The means are clipped to them; the gradient passes the
        clip unchanged, so that no output gets stuck beyond a bound.
    least_variance : float, default=1e-6
        Variances are at least this: data that the network can copy have no largest likelihood.
    """

    variance_: Tensor

    def __init__(
        self,
        variance: float | str = "optimal",
        per_feature: bool = False,
        bounds: tuple[float, float] | None = None,
        least_variance: float = 1e-6,
    ) -> None:
        super().__init__()
        if variance not in ("optimal", "predicted") and not (
            isinstance(variance, Real) and variance > 0
        ):
            raise ValueError(
                f"variance={variance!r} of the Gaussian likelihood must be 'optimal', 'predicted' "
                "or a number above 0"
            )
        self.variance = variance
        self.per_feature = per_feature
        self.bounds = bounds
        self.least_variance = least_variance
        self.n_parameters = 2 if variance == "predicted" else 1
        start = 1.0 if isinstance(variance, str) else float(variance)
        self.register_buffer("variance_", torch.tensor(start))

    def _split(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance."""
        if self.variance == "predicted":
            mean, log_variance = output.chunk(2, -1)
            variance = log_variance.clamp(-_LOG_LIMIT, _LOG_LIMIT).exp() + self.least_variance
        else:
            mean, variance = output, self.variance_
        if self.bounds is not None:
            mean = mean + (mean.clamp(*self.bounds) - mean).detach()
        return mean, variance

    def distribution(self, output: Tensor) -> Distribution:
        mean, variance = self._split(output)
        return Normal(mean, variance.sqrt().expand_as(mean), validate_args=False)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        mean, variance = self._split(output)
        squares = (target - mean).square()
        if self.training and self.variance == "optimal":
            # What the variance itself depends on has no gradient where it is optimal.
            variance = self._mean_square(squares.detach())
            self.variance_ = self.variance_.expand_as(variance).lerp(variance, 0.05)
        return -0.5 * (squares / variance + variance.log() + math.log(2 * math.pi))

    def _mean_square(self, squares: Tensor) -> Tensor:
        flat = squares.flatten(0, -2) if self.per_feature else squares
        mean = flat.mean(0) if self.per_feature else flat.mean()
        return mean.clamp(min=self.least_variance)

    def set_optimal_variance(self, mean_squares: Tensor) -> None:
        if self.variance == "optimal":
            self.variance_ = self._mean_square(mean_squares[None])

    def mean(self, output: Tensor) -> Tensor:
        return self._split(output)[0]

    def _load_from_state_dict(self, state: dict, prefix: str, *args: Any) -> None:
        # Its shape is that of the data.
        if prefix + "variance_" in state:
            self.variance_ = self.variance_.new_empty(state[prefix + "variance_"].shape)
        super()._load_from_state_dict(state, prefix, *args)


class BernoulliLikelihood(Likelihood, BernoulliLoss):
    """Bernoulli distribution, on log-odds, for binary data.

    Values between 0 and 1 are taken as probabilities: in training they stand for zeros and ones,
    drawn anew in every step; afterwards for the expected log-probability.
    """

    def distribution(self, output: Tensor) -> Distribution:
        return Bernoulli(logits=output, validate_args=False)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        return target * output - F.softplus(output)

    def mean(self, output: Tensor) -> Tensor:
        return output.sigmoid()

    def check_target(self, X: Tensor) -> None:
        check_range(X, "likelihood='bernoulli'", "in [0, 1]", 0.0, 1.0)

    def draw_target(self, target: Tensor, generator: torch.Generator) -> Tensor:
        return torch.empty_like(target).bernoulli_(target, generator=generator)


class ContinuousBernoulliLikelihood(Likelihood):
    """Continuous Bernoulli distribution, for values in [0, 1] (Loaiza-Ganem & Cunningham, 2019).

    The decoder gives the logit of the parameter.
    """

    def distribution(self, output: Tensor) -> Distribution:
        return ContinuousBernoulli(logits=output, validate_args=False)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        # The constant is C = y coth(y / 2), near 0 its Taylor series; torch clips probabilities.
        half = torch.where(output.abs() < 0.1, 1.0, output / 2)
        series = (2 + output.square() / 6).log()
        constant = torch.where(output.abs() < 0.1, series, (2 * half / half.tanh()).log())
        return target * output - F.softplus(output) + constant

    def link(self, target: Tensor) -> Tensor:
        return torch.logit(target, eps=0.05)

    def check_target(self, X: Tensor) -> None:
        check_range(X, "likelihood='continuous_bernoulli'", "in [0, 1]", 0.0, 1.0)


class PoissonLikelihood(Likelihood, PoissonLoss):
    """Poisson distribution, on log-rates, for counts."""

    def distribution(self, output: Tensor) -> Distribution:
        return Poisson(output.exp(), validate_args=False)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        return target * output - output.exp() - torch.lgamma(target + 1)

    def mean(self, output: Tensor) -> Tensor:
        return output.exp()

    def check_target(self, X: Tensor) -> None:
        check_range(X, "likelihood='poisson'", "that are counts", 0.0, math.inf, whole=True)


class NegativeBinomialLikelihood(Likelihood):
    """Negative binomial distribution, for counts that vary more than Poisson's.

    The decoder gives the logarithms of the mean m and of the size r; the variance is ``m + m^2 /
    r``.
    """

    n_parameters = 2

    def distribution(self, output: Tensor) -> Distribution:
        log_mean, log_size = output.chunk(2, -1)
        log_size = log_size.clamp(-_LOG_LIMIT, _LARGEST_LOG_SIZE)
        return NegativeBinomial(log_size.exp(), logits=log_mean - log_size, validate_args=False)

    def mean(self, output: Tensor) -> Tensor:
        return output.chunk(2, -1)[0].exp()

    def link(self, target: Tensor) -> Tensor:
        return (target + 0.5).log()

    def check_target(self, X: Tensor) -> None:
        check_range(
            X, "likelihood='negative_binomial'", "that are counts", 0.0, math.inf, whole=True
        )


class CategoricalLikelihood(Likelihood):
    """Categorical distributions over groups of neighbouring columns of zeros and ones.

    The decoder gives the logits of the categories.

    Parameters
    ----------
    sizes : sequence of int or None, default=None
        Number of columns of each group, from left to right; None for a single group.
    """

    def __init__(self, sizes: Sequence[int] | None = None) -> None:
        super().__init__()
        self.sizes = sizes

    def _groups(self, x: Tensor) -> Sequence[Tensor]:
        return [x] if self.sizes is None else x.split(list(self.sizes), -1)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        logits = torch.cat([group.log_softmax(-1) for group in self._groups(output)], -1)
        return torch.where(target > 0, target * logits, 0)

    def sample(self, output: Tensor) -> Tensor:
        parts = []
        for group in self._groups(output):
            gumbel = -torch.rand_like(group).log().neg().log()
            chosen = (group + gumbel).argmax(-1)
            parts.append(F.one_hot(chosen, group.shape[-1]).to(output.dtype))
        return torch.cat(parts, -1)

    def mean(self, output: Tensor) -> Tensor:
        return torch.cat([group.softmax(-1) for group in self._groups(output)], -1)

    def link(self, target: Tensor) -> Tensor:
        return torch.where(target > 0.5, 1.0, -1.0).to(target.dtype)

    def check_target(self, X: Tensor) -> None:
        for group in self._groups(X):
            if not (((group == 0) | (group == 1)).all() and (group.sum(-1) == 1).all()):
                raise ValueError(
                    "likelihood='categorical' needs columns of zeros and ones with a single one in "
                    "each row of a group, as OneHotEncoder makes them"
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

    n_parameters = 2

    def __init__(self, bounds: tuple[float, float] = (0.0, 1.0), n_levels: int = 256) -> None:
        super().__init__()
        if not (bounds[0] < bounds[1] and n_levels >= 2):
            raise ValueError(
                f"bounds={bounds!r} must be increasing and n_levels={n_levels!r} at least 2"
            )
        self.bounds = bounds
        self.n_levels = n_levels
        self.step = (bounds[1] - bounds[0]) / (n_levels - 1)

    def _split(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return location and scale."""
        location, log_scale = output.chunk(2, -1)
        # Scales of less than a fiftieth of a step would be steps themselves.
        return location, log_scale.clamp(-_LOG_LIMIT, _LOG_LIMIT).exp() + self.step / 50

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
        return self._rounded(drawn)

    def _rounded(self, x: Tensor) -> Tensor:
        low, high = self.bounds
        return (((x - low) / self.step).round() * self.step + low).clamp(low, high)

    def mean(self, output: Tensor) -> Tensor:
        return self._split(output)[0].clamp(*self.bounds)

    def check_target(self, X: Tensor) -> None:
        check_range(X, "likelihood='discretized_logistic'", f"in {list(self.bounds)}", *self.bounds)
        if X.numel() and (X - self._rounded(X)).abs().max() > 0.01 * self.step:
            raise ValueError(
                f"likelihood='discretized_logistic' needs values on {self.n_levels} equidistant "
                f"levels from {self.bounds[0]:g} to {self.bounds[1]:g}; set n_levels and bounds "
                "to those of X"
            )


class ColumnLikelihoods(Likelihood):
    """Different likelihoods for different columns of a mixed table.

    Parameters
    ----------
    parts : sequence of (str or Likelihood, array-like of int)
        A likelihood and the indices of its columns; together they name every column once.
    """

    parts: Any
    order: Tensor
    restore: Tensor

    def __init__(self, parts: Sequence[tuple[str | Likelihood, Any]]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            LIKELIHOODS[part]() if isinstance(part, str) else part for part, _ in parts
        )
        self.n_parameters = max(part.n_parameters for part in self.parts)
        columns = [torch.as_tensor(index, dtype=torch.long) for _, index in parts]
        ends = [0, *accumulate(len(index) for index in columns)]
        self.places = [slice(a, b) for a, b in pairwise(ends)]
        self.register_buffer("order", torch.cat(columns), persistent=False)
        self.register_buffer("restore", torch.argsort(torch.cat(columns)), persistent=False)

    def _outputs(self, output: Tensor) -> list[Tensor]:
        blocks = output.unflatten(-1, (self.n_parameters, -1))[..., self.order]
        return [
            blocks[..., : part.n_parameters, place].flatten(-2)
            for part, place in zip(self.parts, self.places, strict=True)
        ]

    def _targets(self, target: Tensor) -> list[Tensor]:
        ordered = target[..., self.order]
        return [ordered[..., place] for place in self.places]

    def _joined(self, method: str, *arguments: Any) -> Tensor:
        results = [
            getattr(part, method)(*each) for part, *each in zip(self.parts, *arguments, strict=True)
        ]
        return torch.cat(results, -1)[..., self.restore]

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        return self._joined("log_prob", self._outputs(output), self._targets(target))

    def sample(self, output: Tensor) -> Tensor:
        return self._joined("sample", self._outputs(output))

    def mean(self, output: Tensor) -> Tensor:
        return self._joined("mean", self._outputs(output))

    def link(self, target: Tensor) -> Tensor:
        return self._joined("link", self._targets(target))

    def draw_target(self, target: Tensor, generator: torch.Generator) -> Tensor:
        return self._joined("draw_target", self._targets(target), [generator] * len(self.parts))

    def check_target(self, X: Tensor) -> None:
        for part, target in zip(self.parts, self._targets(X), strict=True):
            part.check_target(target)

    def set_optimal_variance(self, mean_squares: Tensor) -> None:
        for part, squares in zip(self.parts, self._targets(mean_squares), strict=True):
            part.set_optimal_variance(squares)


LIKELIHOODS: Mapping[str, type[Likelihood]] = {
    "gaussian": GaussianLikelihood,
    "bernoulli": BernoulliLikelihood,
    "continuous_bernoulli": ContinuousBernoulliLikelihood,
    "poisson": PoissonLikelihood,
    "negative_binomial": NegativeBinomialLikelihood,
    "categorical": CategoricalLikelihood,
    "discretized_logistic": DiscretizedLogisticLikelihood,
}
