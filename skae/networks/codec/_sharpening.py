"""Codecs whose decoders learn to draw what rounding has erased, against critics."""

from typing import Any

import torch
from torch import Tensor, nn

from ._critics import PatchCritic, SpectrogramCritic
from ._image_codec import ImageCodecNetwork
from ._spectral_codec import SpectralCodecNetwork

_SHORTEST = 16  # samples that a critic looks at


class Sharpening(nn.Module):
    """A trained codec, of which nothing but the sharpener is trained further, and its critic.

    Parameters
    ----------
    codec : TransformCodec
        The codec; it has a sharpener.
    critic : nn.Module
        Its critic.
    """

    def __init__(self, codec: Any, critic: nn.Module) -> None:
        super().__init__()
        self.codec = codec.requires_grad_(False)
        codec.sharpener.requires_grad_(True)
        self.critic = critic
        self.train()  # the codec comes as it decodes, where a sharpener of zeros has no gradients

    def encode(self, x: Tensor) -> Tensor:
        """Return the codec's code.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Images.

        Returns
        -------
        Tensor of shape (n_images, n_coefficients)
            Coefficients.
        """
        return self.codec.encode(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the codec's images.

        Parameters
        ----------
        z : Tensor of shape (n_images, n_coefficients)
            Codes.

        Returns
        -------
        Tensor of shape (n_images, n_features)
            Images.
        """
        return self.codec.decode(z)


class SharpeningNetwork(Sharpening):
    """A codec of images and a critic of patches.

    Parameters
    ----------
    codec : ImageCodecNetwork
        The codec; it has a sharpener.
    critic_width : int, default=32
        Channels of the critic's first layer.
    """

    def __init__(self, codec: ImageCodecNetwork, critic_width: int = 32) -> None:
        super().__init__(codec, PatchCritic(2 * codec.image_shape[2], critic_width))

    def forward(
        self, x: Tensor, level: float, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what a critic looks at.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Images.
        level : float
            How finely to round, from 0 to ``N_LEVELS - 1``.
        generator : torch.Generator
            Draws the noise that texture is made of.

        Returns
        -------
        plain : Tensor of shape (n_images, height, width, channels)
            The images after rounding.
        missing : Tensor of shape (n_images, height, width, channels)
            What they have lost.
        texture : Tensor of shape (n_images, height, width, channels)
            What the sharpener adds.
        """
        codec = self.codec
        with torch.no_grad():
            y = codec.rounded_coefficients(x, level)
            plain = codec.synthesize(y, level)
            missing = x.reshape(len(x), *codec.image_shape) - plain
        return plain, missing, codec.texture(y, level, generator)

    def amplitudes(self, x: Tensor) -> Tensor:
        """Return how strong the principal components of patches are.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels)
            Images.

        Returns
        -------
        Tensor of shape (n_images, n_components)
            Roots of the mean squares over the patches of an image.
        """
        y = self.codec.principal_components(x)
        return (y.square().mean((1, 2)) + 0.01).sqrt()


class SoundSharpeningNetwork(Sharpening):
    """A codec of sounds and a critic of spectrograms of several resolutions.

    Parameters
    ----------
    codec : SpectralCodecNetwork
        The codec; it has a sharpener.
    critic_width : int, default=16
        Channels of the critic's first layers.
    """

    def __init__(self, codec: SpectralCodecNetwork, critic_width: int = 16) -> None:
        h = codec.hop_length
        lengths = sorted({max(_SHORTEST, length) for length in (h // 2, 2 * h, 4 * h)})
        super().__init__(codec, SpectrogramCritic(lengths, critic_width))

    def forward(
        self, y: Tensor, sizes: Tensor, levels: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what a critic looks at.

        Parameters
        ----------
        y, sizes : Tensor of shape (n_signals, n_frames * n_columns)
            Coefficients that were rounded, and how large what was rounded to zero is expected to
            be.
        levels : Tensor of shape (n_signals,)
            How finely they were rounded, from 0 to ``N_LEVELS - 1``.
        generator : torch.Generator
            Draws the number of the first frame, and with it the noise.

        Returns
        -------
        drawn : Tensor of shape (n_signals, n_samples, n_channels)
            Samples with all that the sharpener draws.
        plain : Tensor of the same shape
            Samples without.
        bare : Tensor of the same shape
            Samples without any noise.
        """
        start = int(torch.randint(2**31, (), generator=generator, device=generator.device))
        with torch.no_grad():
            plain = self.codec.restored(y, sizes, levels, start)
            bare = self.codec.restored(y, 0 * sizes, levels)
        return self.codec.restored(y, sizes, levels, start, 1.0), plain, bare

    def heard(self, *sounds: Tensor) -> Tensor:
        """Return sounds as the critic takes them.

        Parameters
        ----------
        *sounds : Tensor of shape (n_signals, n_samples, n_channels)
            Samples, complete but for the first and the last hop.

        Returns
        -------
        Tensor of shape (n_signals * n_channels, n_samples - 2 * hop_length, n_sounds)
            Channels, one by one.
        """
        h = self.codec.hop_length
        return torch.stack(sounds, -1)[:, h:-h].transpose(1, 2).flatten(0, 1)
