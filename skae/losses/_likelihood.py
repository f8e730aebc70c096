"""The base class of likelihoods: distributions of the data around the output of a decoder."""

import torch
from torch import Tensor
from torch.distributions import Distribution

from ._reconstruction import ReconstructionLoss

LOG_LIMIT = 15.0  # of log-variances, log-scales and log-sizes


class Likelihood(ReconstructionLoss):
    """Base class: a distribution for every cell, whose parameters the decoder gives.

    A new likelihood overrides :meth:`distribution`, or :meth:`log_prob`, :meth:`sample` and
    :meth:`mean` where torch has no such distribution. Its error, :meth:`elementwise`, is minus the
    log-probability, in nats, and may be negative where the data are continuous.
    """

    _parameter = "likelihood"

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

    def row_log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the logarithm of probability or density of every row.

        Parameters
        ----------
        output : Tensor of shape (..., n_samples, n_parameters * n_features)
            What the decoder gave.
        target : Tensor of shape (n_samples, n_features)
            Data, which may be a sparse CSR tensor. A likelihood that is meant for sparse rows
            overrides this method, so that they need not become dense.

        Returns
        -------
        Tensor of shape (..., n_samples)
            In nats.
        """
        target = target if target.layout == torch.strided else target.to_dense()
        return self.log_prob(output, target.expand(*output.shape[:-2], -1, -1)).sum(-1)

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

    def residual(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the data minus their expectation.

        Parameters
        ----------
        output : Tensor of shape (..., n_parameters * n_features)
            What the decoder gave.
        target : Tensor of shape (..., n_features)
            Data.

        Returns
        -------
        Tensor of shape (..., n_features)
            NaN where the data are missing.
        """
        return target - self.mean(output)

    def set_optimal_variance(self, mean_squares: Tensor) -> None:
        """Take the variance from residuals, if there is one to be taken from them.

        Parameters
        ----------
        mean_squares : Tensor of shape (n_features,)
            Mean squared residuals of the training rows, over the cells that are not missing.
        """
