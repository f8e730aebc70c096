"""What codecs minimise: bits and errors, errors of what is decoded, games for texture."""

from typing import Any

import torch

from .._plain import registered
from ..networks import BIT_WEIGHT
from ..training import Losses, Objective, Step
from ..training._games import play


@registered
class RateDistortion(Objective):
    """Bits and squared errors of signals, for a module that has `rate_distortion`.

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

    bit_weight: float = BIT_WEIGHT

    def losses(self, step: Step) -> Losses:
        x, module = step.batch.input, step.module
        bits, squares = module.rate_distortion(x, _random_level(module, step.generator))
        terms = {"rate": bits.mean() / x.shape[1], "distortion": squares.mean() / x.shape[1]}
        return Losses((squares + self.bit_weight * bits) / x.shape[1], terms)


@registered
class RestorationLoss(Objective):
    """Squared errors of decoded images, for a module that has `restored`.

    The input is what images were decoded to, the target the images, and what is known besides is
    how finely they had been rounded. Errors are measured in squared rounding steps.
    """

    def losses(self, step: Step) -> Losses:
        decoded, x = step.batch
        (level,) = step.batch.extra
        images = decoded.unflatten(1, step.module.image_shape)
        restored = step.module.restored(images, level).flatten(1)
        return Losses(((restored - x) / step.module.step_size(level[:, None])).square().mean(1))


@registered
class AudibleRestoration(Objective):
    """How differently loud decoded and original sounds are, for a module that has `restored`.

    The input is what sounds were decoded to, the target their samples, and what is known besides is
    how large what was rounded to zero is expected to be, and how finely it was rounded.
    """

    def losses(self, step: Step) -> Losses:
        decoded, x = step.batch
        sizes, levels = step.batch.extra
        restored = step.module.restored(decoded, sizes, levels)
        return Losses(step.module.audible_errors(restored, x.reshape(restored.shape)))


@registered
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

    critic_weight: float
    amplitude_weight: float

    def losses(self, step: Step) -> Losses:
        module, generator = step.module, step.generator
        level = _random_level(module.codec, generator)
        plain, missing, texture = module(step.batch.input, level, generator)
        power = missing.square().flatten(1).mean(1).clamp(min=1.0)
        losses = (missing - texture).square().flatten(1).mean(1) / power
        short = module.amplitudes(plain + missing) - module.amplitudes(plain + texture)
        amplitudes = short.square().mean(1) / power
        terms = {"distortion": losses.mean(), "amplitudes": amplitudes.mean()}
        losses = losses + self.amplitude_weight * amplitudes
        if step.epoch is None:
            return Losses(losses, terms)
        scale, context = power.rsqrt()[:, None, None, None], plain / 64 - 2
        real, made = (torch.cat([context, scale * x], -1) for x in (missing, texture))
        game, each = play("texture", module.critic, real, made, self.critic_weight)
        return Losses(losses + game, terms | each)


@registered
class AdversarialNoise(Objective):
    """What critics take for what sounds have lost, for a module that sharpens a codec.

    The game of `AdversarialTexture`, on spectrograms, for sounds that were decoded at random
    qualities. Differences of loudness keep what is drawn near the original.

    Parameters
    ----------
    critic_weight : float
        Weight of the loss against the critics.
    loudness_weight : float
        Weight of the differences of loudness.
    """

    critic_weight: float
    loudness_weight: float

    def losses(self, step: Step) -> Losses:
        module, (decoded, x) = step.module, step.batch
        drawn, *known = module(decoded, *step.batch.extra, step.generator)
        x = x.reshape(drawn.shape)
        errors = module.codec.audible_errors(drawn, x)
        terms, losses = {"loudness": errors.mean()}, self.loudness_weight * errors
        if step.epoch is None:
            return Losses(losses, terms)
        real, made = (module.heard(each, *known) for each in (x, drawn))
        game, each = play("texture", module.critic, real, made, self.critic_weight)
        return Losses(losses + game, terms | each)


def _random_level(codec: Any, generator: torch.Generator) -> float:
    """Draw how finely a codec rounds."""
    place = torch.rand((), generator=generator, device=generator.device)
    return float(place) * codec.highest_level
