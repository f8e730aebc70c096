"""A codec of images whose decoder learns to draw texture, against a critic of patches."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ._image_codec import ImageCodecNetwork


class SharpeningNetwork(nn.Module):
    """A trained codec, of which nothing but the sharpener is trained further, and its critic.

    Parameters
    ----------
    codec : ImageCodecNetwork
        The codec; it has a sharpener.
    critic_width : int, default=32
        Channels of the critic's first layer.
    """

    def __init__(self, codec: ImageCodecNetwork, critic_width: int = 32) -> None:
        super().__init__()
        self.codec = codec.requires_grad_(False)
        sharpener: Any = codec.sharpener
        sharpener.requires_grad_(True)
        self.critic = _PatchCritic(2 * codec.image_shape[2], critic_width)

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


class _PatchCritic(nn.Module):
    """Gives each of many overlapping patches a number, higher for what it takes for real.

    Its layers have spectral norm 1 (Miyato et al., ICLR 2018).
    """

    def __init__(self, n_channels: int, width: int) -> None:
        super().__init__()
        # An even kernel at a stride of two sees all pixels equally often; the padding leaves
        # something of images of any size.
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(n_channels, width, 4, 2, 2)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, 2 * width, 4, 2, 2)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 2 * width, 3, 1, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 1, 3, 1, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.movedim(-1, 1))
