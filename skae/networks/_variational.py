"""Networks whose codes have a distribution: any autoencoder, its codes brought to unit variance."""

import copy
import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ._start import initialize

_LOG_VARIANCE = (-14.0, 5.0)
_SHARES, _WIDE = (3 / 20, 3 / 4, 1 / 10), 10.0  # of RecVAE's prior; a log-variance
_CELLS = 2**22  # to start from
_ROWS = 4096  # whose hidden layers are in memory at once
_LEAST_NOISE = 1e-3  # share of a component's variance that counts as noise, at the start


class StandardizedNetwork(nn.Module):
    """An autoencoder whose codes have unit variance at the start.

    Parameters
    ----------
    network : nn.Module
        Has ``encode(x)`` and ``decode(z)``.
    n_features : int
        Number of columns of the data.
    n_components : int
        Number of columns of the code.
    n_parameters : int, default=1
        Numbers per feature that the likelihood needs. The first is the output of `network`, the
        others come from a small network of their own.
    """

    encoder_scale: Tensor
    decoder_scale: Tensor

    def __init__(
        self, network: Any, n_features: int, n_components: int, n_parameters: int = 1
    ) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("encoder_scale", torch.ones(n_components))
        self.register_buffer("decoder_scale", torch.ones(n_components))
        self.more_parameters = None
        if n_parameters > 1:
            self.more_parameters = _head(n_components, (n_parameters - 1) * n_features)

    def encode(self, x: Tensor) -> Tensor:
        """Return the code.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Tensor of shape (n_samples, n_components)
            Code.
        """
        return self.network.encode(x) * self.encoder_scale

    def decode(self, z: Tensor) -> Tensor:
        """Return the parameters of the likelihood for the code `z`.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_components)
            Code.

        Returns
        -------
        Tensor of shape (n_samples, n_parameters * n_features)
            The first parameter of all features, then the second.
        """
        output = self.network.decode(z * self.decoder_scale)
        if self.more_parameters is None:
            return output
        return torch.cat([output, self.more_parameters(z)], -1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output for the code of `x`."""
        return self.decode(self.encode(x))

    @torch.no_grad()
    def initialize(self, x: Tensor, output: Tensor, weight: Tensor | None = None) -> None:
        """Start from PCA with scaled codes, if the network starts from PCA.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Rows of the training data.
        output : Tensor of shape (n_samples, n_features)
            What the decoder should give for them.
        weight : Tensor of shape (n_samples,) or None, default=None
            How much each row counts; None for all alike.
        """
        if not hasattr(self.network, "initialize"):
            return
        step = -(-x.numel() // _CELLS)  # more would take memory, and PCA needs no more
        x, output = x[::step], output[::step]
        weight = None if weight is None else weight[::step]
        initialize(self.network, x, output, weight)
        if not getattr(self.network, "linear_skip", True):
            return
        self.network.eval()  # for batch normalisation of a single row
        code = torch.cat([self.network.encode(part) for part in x.split(_ROWS)])
        errors = [
            (y - self.network.decode(z)).square()
            for y, z in zip(output.split(_ROWS), code.split(_ROWS), strict=True)
        ]
        if weight is None:
            variances = code.var(0, unbiased=False)
            residual = torch.stack([each.sum() for each in errors]).sum() / output.numel()
        else:
            share = (weight / weight.sum()).to(code)
            variances = share @ (code - share @ code).square()
            residual = share @ torch.cat([each.mean(1) for each in errors])
        variances = variances.clamp(min=1e-12)
        self.network.train()
        d, k = x.shape[1], len(variances)
        noise = residual * d / (d - k) if k < d else 0 * residual
        self._start_from(variances, torch.maximum(noise, _LEAST_NOISE * variances.mean()))

    def _start_from(self, variances: Tensor, noise: Tensor) -> None:
        """Scale codes, from their variances and that of the noise around the principal plane."""
        scale = torch.maximum(variances, noise).sqrt()
        self.encoder_scale.copy_(1 / scale)
        self.decoder_scale.copy_(scale)


class VariationalNetwork(StandardizedNetwork):
    """An autoencoder whose code is the mean of a normal distribution over codes.

    The variances of that distribution are a function of its mean. For a Gaussian likelihood they
    are so up to second order: the posterior's precision is that of the prior plus that which the
    decoder's Jacobian at the code gives. So any network with `encode` and `decode` will do.

    :meth:`initialize` makes a network that starts from PCA start from probabilistic PCA, the linear
    variational autoencoder in closed form (Tipping & Bishop, JRSS B 61, 1999; Lucas et al., NeurIPS
    2019): every component is in use from the first step.

    Parameters
    ----------
    network : nn.Module
        Has ``encode(x)`` and ``decode(z)``.
    n_features : int
        Number of columns of the data.
    n_components : int
        Number of columns of the code.
    n_parameters : int, default=1
        Numbers per feature that the likelihood needs. The first is the output of `network`, the
        others come from a small network of their own.
    """

    log_variance: Any

    def __init__(
        self, network: Any, n_features: int, n_components: int, n_parameters: int = 1
    ) -> None:
        super().__init__(network, n_features, n_components, n_parameters)
        self.log_variance = _head(n_components, n_components)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distribution over codes, which is normal with independent components.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Data.

        Returns
        -------
        mean, log_variance : Tensor of shape (n_samples, n_components)
            Its parameters.
        """
        mean = self.encode(x)
        return mean, self.log_variance(mean).clamp(*_LOG_VARIANCE)

    def _start_from(self, variances: Tensor, noise: Tensor) -> None:
        signal = (variances - noise).clamp(min=0.01 * noise)
        self.encoder_scale.copy_(signal.sqrt() / (signal + noise))
        self.decoder_scale.copy_(signal.sqrt())
        self.log_variance[-1].bias.copy_((noise / (signal + noise)).log())


class CompositeNetwork(VariationalNetwork):
    """A variational autoencoder whose prior knows what it made of a row some epochs ago.

    The prior of a row's code is a mixture of the standard normal distribution, of the posterior
    that the network had at the start of the present round of epochs, and of a wide normal one.

    Parameters
    ----------
    network : nn.Module
        Has ``encode(x)`` and ``decode(z)``.
    n_features : int
        Number of columns of the data.
    n_components : int
        Number of columns of the code.

    References
    ----------
    Shenbin, Alekseev, Tutubalina, Malykh & Nikolenko, "RecVAE: a new variational autoencoder for
    top-N recommendations with implicit feedback", WSDM 2020, section 3.3.
    """

    n_round: Tensor

    def __init__(self, network: Any, n_features: int, n_components: int) -> None:
        super().__init__(network, n_features, n_components)
        self.previous = VariationalNetwork(copy.deepcopy(network), n_features, n_components)
        self.previous.requires_grad_(False)
        self.register_buffer("n_round", torch.tensor(0))

    def divergence(
        self, z: Tensor, posterior: tuple[Tensor, Tensor], x: Tensor, n_round: int
    ) -> Tensor:
        """Estimate, from one code of each row, how far its distribution is from the prior.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_components)
            Codes, drawn from the posterior.
        posterior : tuple of two Tensors of shape (n_samples, n_components)
            Means and log-variances.
        x : Tensor of shape (n_samples, n_features)
            The rows.
        n_round : int
            Number of the round of epochs, from 1. When it changes, the prior is renewed.

        Returns
        -------
        Tensor of shape (n_samples,)
            In nats.
        """
        with torch.no_grad():
            if int(self.n_round) != n_round:
                state = self.state_dict()
                mine = {name: state[name] for name in self.previous.state_dict()}
                self.previous.load_state_dict(mine)
                self.n_round.fill_(n_round)
            previous = self.previous.posterior(x)
        zero = torch.zeros_like(z)
        parts = [(zero, zero), previous, (zero, zero + _WIDE)]
        logs = [
            _normal_log_density(z, *part) + math.log(share)
            for part, share in zip(parts, _SHARES, strict=True)
        ]
        prior = torch.stack(logs).logsumexp(0)
        return (_normal_log_density(z, *posterior) - prior).sum(1)


class AdversarialNetwork(StandardizedNetwork):
    """An autoencoder with critics of its codes and, if wanted, of its reconstructions.

    Parameters
    ----------
    network : nn.Module
        Has ``encode(x)`` and ``decode(z)``.
    n_features : int
        Number of columns of the data.
    n_components : int
        Number of columns of the code.
    n_parameters : int, default=1
        Numbers per feature that the likelihood needs.
    critic_sizes : tuple of int, default=(128, 128)
        Widths of the hidden layers of each critic.
    spectral : bool, default=False
        Whether the critics' layers have spectral norm 1 (Miyato et al., ICLR 2018).
    sees_rows : bool, default=False
        Whether there is a critic of reconstructions.
    """

    def __init__(
        self,
        network: Any,
        n_features: int,
        n_components: int,
        n_parameters: int = 1,
        critic_sizes: tuple[int, ...] = (128, 128),
        spectral: bool = False,
        sees_rows: bool = False,
    ) -> None:
        super().__init__(network, n_features, n_components, n_parameters)
        self.code_critic = _critic(n_components, critic_sizes, spectral)
        self.row_critic = _critic(n_features, critic_sizes, spectral) if sees_rows else None


def displaced(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Return codes of a distribution for standard normal noise (Kingma & Welling, 2014, eq. 10).

    Parameters
    ----------
    mean, log_variance : Tensor of shape (n_samples, n_components)
        The distribution.
    noise : Tensor of shape (..., n_samples or 1, n_components)
        Noise.

    Returns
    -------
    Tensor of shape (..., n_samples, n_components)
        Codes.
    """
    return mean + noise * (log_variance / 2).exp()


def divergence_from_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return how far distributions over codes are from the standard normal one.

    Parameters
    ----------
    mean, log_variance : Tensor of shape (n_samples, n_components)
        The distributions, which are normal.

    Returns
    -------
    Tensor of shape (n_samples, n_components)
        Kullback-Leibler divergence of every component, in nats.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def _normal_log_density(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    squares = (z - mean).square() / log_variance.exp()
    return -0.5 * (squares + log_variance + math.log(2 * math.pi))


def _critic(n_inputs: int, sizes: tuple[int, ...], spectral: bool) -> nn.Sequential:
    """Return a network that gives each row a number, higher for what it takes for real."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise([n_inputs, *sizes, 1]):
        linear = nn.Linear(n_in, n_out)
        layers += [spectral_norm(linear) if spectral else linear, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


def _head(n_components: int, n_outputs: int) -> nn.Sequential:
    """Return a small network that gives zeros at first."""
    last = nn.Linear(64, n_outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(n_components, 64), nn.GELU(), last)
