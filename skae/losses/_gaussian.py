"""Normal distributions around the output of a decoder."""

import math
from numbers import Real
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, Normal

from ._likelihood import LOG_LIMIT, Likelihood


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

    name = "gaussian"
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
            variance = log_variance.clamp(-LOG_LIMIT, LOG_LIMIT).exp() + self.least_variance
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
        """Average over the observed cells, of each feature or of all."""
        flat = squares.flatten(0, -2) if self.per_feature else squares
        mean = flat.nanmean(0) if self.per_feature else flat.nanmean()
        mean = torch.where(mean.isnan(), self.variance_, mean)  # where no cell is observed
        return mean.clamp(min=self.least_variance)

    def set_optimal_variance(self, mean_squares: Tensor) -> None:
        if self.variance == "optimal":
            self.variance_ = self._mean_square(mean_squares[None])

    def _load_from_state_dict(self, state: dict, prefix: str, *args: Any) -> None:
        # Its shape is that of the data.
        if prefix + "variance_" in state:
            self.variance_ = self.variance_.new_empty(state[prefix + "variance_"].shape)
        super()._load_from_state_dict(state, prefix, *args)
