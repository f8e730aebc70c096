"""A residual U-Net for flattened images: what denoisers of images correct their filter by."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .._shapes import checked_image_shape
from ._denoising import MOST_SEEN_AT_ONCE
from ._patch_filter import planes_of, rows_of

_STRIDE = 4  # from pixels to the deepest level


class _ResidualConv(nn.Module):
    """Two convolutions whose output is added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(x)))


class ConvCorrection(nn.Module):
    """Residual U-Net, from images, filtered images and levels of noise to a correction.

    Squares of 2 x 2 pixels become channels, which makes convolutions four times as cheap, as in
    FFDNet (Zhang et al., IEEE Transactions on Image Processing 27, 2018); one level further down,
    at half the height and width again, they are twice as wide. Of images with up to 1,024 values,
    fully connected layers, which see all of it, add to that level.

    Parameters
    ----------
    n_features : int
        Number of columns of the data: ``channels * height * width``.
    image_shape : tuple of int
        Shape of the images: (height, width), (channels, height, width) or, if it is unmistakable,
        (height, width, channels).
    n_levels : int, default=1
        Number of columns of the levels: 1 or `n_features`.
    width : int, default=32
        Number of feature maps of the upper level.
    n_blocks : tuple of two ints, default=(1, 2)
        Number of residual blocks: on the upper level, both on the way down and up, and on the lower
        one.
    n_units : int, default=256
        Width of the fully connected layers; 0 for none.
    """

    sees_filtered = True

    def __init__(
        self,
        n_features: int,
        image_shape: Sequence[int] | None,
        n_levels: int = 1,
        width: int = 32,
        n_blocks: tuple[int, int] = (1, 2),
        n_units: int = 256,
    ) -> None:
        super().__init__()
        if image_shape is None:
            raise ValueError("module='conv' needs image_shape=(channels, height, width), got None")
        self.shape = checked_image_shape(image_shape, n_features)
        channels, *sides = self.shape
        self.n_features = n_features
        self.padding = [-side % _STRIDE for side in sides]
        upper, lower = n_blocks
        self.first = nn.Conv2d(12 * channels, width, 3, padding=1)
        self.down = nn.Sequential(*(_ResidualConv(width) for _ in range(upper)))
        self.deeper = nn.Conv2d(width, 2 * width, 2, stride=2)
        self.deepest = nn.Sequential(*(_ResidualConv(2 * width) for _ in range(lower)))
        self.higher = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.up = nn.Sequential(*(_ResidualConv(width) for _ in range(upper)))
        self.last = nn.Conv2d(width, 4 * channels, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)
        self.whole: nn.Module | None = None
        if n_units and n_features <= MOST_SEEN_AT_ONCE:
            cells = math.prod(-(-side // _STRIDE) for side in sides)
            self.whole = nn.Sequential(
                nn.Linear(2 * n_features + n_levels, n_units),
                nn.GELU(),
                nn.Linear(n_units, n_units),
                nn.GELU(),
                nn.Linear(n_units, 2 * width * cells),
            )

    def encode(self, x: Tensor) -> Tensor:
        """Return rows as they are: a U-Net has no narrow code.

        Parameters
        ----------
        x : Tensor of shape (n_samples, 2 * n_features + n_levels)
            Rows, filtered rows and levels of noise, beside each other.

        Returns
        -------
        Tensor of shape (n_samples, 2 * n_features + n_levels)
            The same.
        """
        return x

    def decode(self, z: Tensor) -> Tensor:
        """Return the correction.

        Parameters
        ----------
        z : Tensor of shape (n_samples, 2 * n_features + n_levels)
            Rows, filtered rows and levels of noise, beside each other.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Correction.
        """
        d = self.n_features
        parts = (z[:, :d], z[:, d : 2 * d], z[:, 2 * d :].expand(len(z), d))
        planes = torch.cat([planes_of(part, self.shape) for part in parts], 1)
        height, width = planes.shape[2:]
        below, beside = self.padding
        planes = F.pad(planes, (0, beside, 0, below), mode="replicate")
        upper = self.down(F.relu(self.first(F.pixel_unshuffle(planes, 2))))
        lower = self.deeper(upper)
        if self.whole is not None:
            lower = lower + self.whole(z).view(lower.shape)
        upper = self.up(upper + self.higher(self.deepest(lower)))
        output = F.pixel_shuffle(self.last(upper), 2)[:, :, :height, :width]
        return rows_of(output, self.shape)
