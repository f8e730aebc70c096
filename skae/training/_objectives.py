"""What a step minimises, where that is more than the loss of an output."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from ..networks import BIT_WEIGHT


class Objective:
    """Base class: a loss for every row of a batch, from the module rather than from its output."""

    def row_losses(
        self,
        module: Any,
        criterion: Any,
        batch: tuple[Tensor, Tensor],
        generator: torch.Generator,
        epoch: int | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of every row of a batch, and its parts.

        Parameters
        ----------
        module : nn.Module
            The network.
        criterion : skae.losses.Likelihood
            The likelihood.
        batch : tuple of two Tensors of shape (n_samples, n_features)
            Input and target.
        generator : torch.Generator
            The only source of randomness.
        epoch : int or None
            Number of the epoch in training, from 1; None otherwise.

        Returns
        -------
        losses : Tensor of shape (n_samples,)
            Losses.
        terms : dict of str to Tensor
            Parts of the loss, means over the batch, which the net records by epochs.
        """
        raise NotImplementedError


class NegativeLogDensity(Objective):
    """Minus the log-density of a module that has `log_prob`, in nats per row."""

    def row_losses(
        self,
        module: Any,
        criterion: Any,
        batch: tuple[Tensor, Tensor],
        generator: torch.Generator,
        epoch: int | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return -module.log_prob(batch[0]), {}


class EvidenceBound(Objective):
    """Minus the evidence lower bound of a variational autoencoder, in nats per row.

    Kingma & Welling, ICLR 2014, equation 3; with several samples the importance-weighted bound of
    Burda et al., ICLR 2016, equation 8.

    Parameters
    ----------
    beta : float, default=1.0
        Factor of the divergence from the prior (Higgins et al., ICLR 2017).
    free_bits : float, default=0.0
        Nats of divergence per component, averaged over a batch, that cost nothing (Kingma et al.,
        NeurIPS 2016, appendix C.8). Only with a single sample.
    warm_up : int, default=0
        Number of epochs over which the factor rises to `beta`.
    n_samples : int, default=1
        Codes drawn for each row.
    """

    def __init__(
        self, beta: float = 1.0, free_bits: float = 0.0, warm_up: int = 0, n_samples: int = 1
    ) -> None:
        self.beta = beta
        self.free_bits = free_bits
        self.warm_up = warm_up
        self.n_samples = n_samples

    def row_losses(
        self,
        module: Any,
        criterion: Any,
        batch: tuple[Tensor, Tensor],
        generator: torch.Generator,
        epoch: int | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        x, target = batch
        if epoch is not None:
            drawn = criterion.draw_target(target, generator)
            x, target = (drawn if x is target else x), drawn
        weight = self.beta
        if epoch is not None and epoch <= self.warm_up:
            weight *= epoch / (self.warm_up + 1)
        mean, log_variance = module.posterior(x)
        noise = mean.new_empty(self.n_samples, *mean.shape).normal_(generator=generator)
        z = mean + noise * (log_variance / 2).exp()
        output = module.decode(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        log_prob = criterion.log_prob(output, target.expand(self.n_samples, -1, -1)).sum(-1)
        if self.n_samples == 1:
            divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
            terms = {
                "reconstruction": -log_prob.mean(),
                "divergence": divergence.sum(-1).mean(),
            }
            if self.free_bits:
                excess = divergence.mean(0).clamp(min=self.free_bits) - divergence.mean(0)
                divergence = divergence + excess
            return weight * divergence.sum(-1) - log_prob[0], terms
        log_ratio = 0.5 * (noise.square() + log_variance - z.square()).sum(-1)
        terms = {"reconstruction": -log_prob.mean(), "divergence": -log_ratio.mean()}
        weights = log_prob + weight * log_ratio
        return math.log(self.n_samples) - weights.logsumexp(0), terms


class RateDistortion(Objective):
    """Bits and squared errors of images, for a module that has `rate_distortion`.

    Each batch is coded at another quality, so that one network serves all of them. Errors are
    measured in squared rounding steps. What a bit is worth follows from uniform rounding with a
    step of one, whose squared error is 1 / 12 and falls by a factor of four per bit: twice the
    natural logarithm of two over 12.

    Parameters
    ----------
    bit_weight : float, default=0.13
        Squared steps that a bit is worth: a little more than those 0.116, because small
        coefficients are not spread uniformly.
    """

    def __init__(self, bit_weight: float = BIT_WEIGHT) -> None:
        self.bit_weight = bit_weight

    def row_losses(
        self,
        module: Any,
        criterion: Any,
        batch: tuple[Tensor, Tensor],
        generator: torch.Generator,
        epoch: int | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        x = batch[0]
        bits, squares = module.rate_distortion(x, _random_level(module, generator))
        terms = {"rate": bits.mean() / x.shape[1], "distortion": squares.mean() / x.shape[1]}
        return (squares + self.bit_weight * bits) / x.shape[1], terms


class RestorationLoss(Objective):
    """Squared errors of decoded images, for a module that has `restored`.

    A row holds an image, what it was decoded to, and how finely it had been rounded. Errors are
    measured in squared rounding steps.
    """

    def row_losses(
        self,
        module: Any,
        criterion: Any,
        batch: tuple[Tensor, Tensor],
        generator: torch.Generator,
        epoch: int | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        d = (batch[0].shape[1] - 1) // 2
        x, decoded, level = batch[0].split([d, d, 1], 1)
        restored = module.restored(decoded.unflatten(1, module.image_shape), level[:, 0])
        return ((restored.flatten(1) - x) / module.step_size(level)).square().mean(1), {}


class AdversarialLoss(Objective):
    """Reconstruction against critics, which tell codes from the prior and rows from their copies.

    Each critic learns to tell real from made by logistic regression, and the autoencoder to be
    taken for real, by the non-saturating loss (Goodfellow et al., NeurIPS 2014, section 3): codes
    for draws from a standard normal distribution (Makhzani et al., ICLR 2016 workshop), and, if the
    module has a critic of rows, reconstructions and decoded draws for data (Larsen et al., ICML
    2016). One backward pass serves all players: in the loss of the autoencoder the critics are
    constants, and in theirs, what they judge.

    Parameters
    ----------
    code_weight : float
        Weight of the autoencoder's loss against the critic of codes, in nats per row.
    row_weight : float
        That against the critic of rows.
    gradient_penalty : float
        Weight of the critics' squared gradient at what they judge, real and made (Mescheder et al.,
        ICML 2018, equations 9 and 10).
    """

    def __init__(self, code_weight: float, row_weight: float, gradient_penalty: float) -> None:
        self.code_weight = code_weight
        self.row_weight = row_weight
        self.gradient_penalty = gradient_penalty

    def row_losses(
        self,
        module: Any,
        criterion: Any,
        batch: tuple[Tensor, Tensor],
        generator: torch.Generator,
        epoch: int | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        x, target = batch
        code = module.encode(x)
        output = module.decode(code)
        losses = -criterion.log_prob(output, target).sum(-1)
        terms = {"reconstruction": losses.mean()}
        if epoch is None:
            return losses, terms
        drawn = torch.empty_like(code).normal_(generator=generator)
        penalty = self.gradient_penalty
        game, each = _play("code", module.code_critic, drawn, code, self.code_weight, penalty)
        losses, terms = losses + game, terms | each
        if module.row_critic is not None:
            made = criterion.mean(torch.cat([output, module.decode(drawn)]))
            game, each = _play("row", module.row_critic, target, made, self.row_weight, penalty)
            losses, terms = losses + game, terms | each
        return losses, terms


class AdversarialTexture(Objective):
    """Texture that a critic takes for what images have lost, for a module that sharpens a codec.

    The game of HiFiC (Mentzer et al., NeurIPS 2020), in which nothing but the texture is trained:
    by the non-saturating loss against a critic of patches, by the squared error, and by the squared
    difference of the amplitudes of coefficients, which are too small after rounding. Squares are
    measured by the error of each plain picture, so that the game is played for as many decibels at
    all qualities, and smooth pictures are kept clean.

    Parameters
    ----------
    critic_weight : float
        Weight of the loss against the critic.
    amplitude_weight : float
        Weight of the amplitudes.
    """

    def __init__(self, critic_weight: float, amplitude_weight: float) -> None:
        self.critic_weight = critic_weight
        self.amplitude_weight = amplitude_weight

    def row_losses(
        self,
        module: Any,
        criterion: Any,
        batch: tuple[Tensor, Tensor],
        generator: torch.Generator,
        epoch: int | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        level = _random_level(module.codec, generator)
        plain, missing, texture = module(batch[0], level, generator)
        power = missing.square().flatten(1).mean(1).clamp(min=1.0)
        losses = (missing - texture).square().flatten(1).mean(1) / power
        short = module.amplitudes(plain + missing) - module.amplitudes(plain + texture)
        amplitudes = short.square().mean(1) / power
        terms = {"distortion": losses.mean(), "amplitudes": amplitudes.mean()}
        losses = losses + self.amplitude_weight * amplitudes
        if epoch is None:
            return losses, terms
        scale, context = power.rsqrt()[:, None, None, None], plain / 64 - 2
        real, made = (torch.cat([context, scale * x], -1) for x in (missing, texture))
        game, each = _play("texture", module.critic, real, made, self.critic_weight)
        return losses + game, terms | each


def _random_level(codec: Any, generator: torch.Generator) -> float:
    """Draw how finely a codec rounds."""
    place = torch.rand((), generator=generator, device=generator.device)
    return float(place) * codec.highest_level


def _play(
    name: str,
    critic: nn.Module,
    real: Tensor,
    made: Tensor,
    weight: float,
    gradient_penalty: float = 0.0,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the mean loss of the one who makes and of a critic, together and apart."""
    constants = {key: value.detach() for key, value in critic.named_parameters()}
    deception = F.softplus(-functional_call(critic, constants, (made,))).mean()
    judged = torch.cat([real, made]).detach().requires_grad_(gradient_penalty > 0)
    opinion = critic(judged)
    for_real, for_made = opinion.split([len(real), len(made)])
    mistakes = F.softplus(-for_real).mean() + F.softplus(for_made).mean()
    terms = {f"{name}_deception": deception, f"{name}_critic": mistakes}
    if gradient_penalty > 0:
        (slope,) = torch.autograd.grad(opinion.sum(), judged, create_graph=True)
        mistakes = mistakes + gradient_penalty * slope.square().sum(1).mean()
    return weight * deception + mistakes, terms
