"""The Wiener filter on patches of images that are too large for one on all of their pixels."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .._shapes import ImageShape
from ._wiener import Filtered, WienerFilter

_SIDE = 8  # of patches, in pixels
_MOST_PATCHES = 100_000
# Of the patches, and of components by their variance: those that have hardly more than noise.
_QUIET, _SHARE_OF_NOISE = 0.25, 0.25
_ENERGIES = 4.0 ** torch.arange(-5, 4)  # of patches, in those of a common one


class PatchFilter(WienerFilter):
    """The Wiener filter on patches; every pixel has the mean of those that hold it.

    Patches of little and of much contrast have the same axes, and variances that differ by a
    factor, which is found for each by its likelihood (a Gaussian scale mixture; Portilla et al.,
    IEEE Transactions on Image Processing 12, 2003). The level of noise is found in the quietest
    quarter of an image, in components of small variance.

    Parameters
    ----------
    n_features : int
        Number of columns.
    levels : tuple of two floats
        As there.
    sigma : float or None, default=None
        As there.
    image_shape : ImageShape
        Shape of the images.
    """

    _pools_rest = False

    def __init__(
        self,
        n_features: int,
        levels: tuple[float, float],
        sigma: float | None = None,
        *,
        image_shape: ImageShape,
    ) -> None:
        self.shape = image_shape
        height, width = (min(_SIDE, side) for side in image_shape[1:])
        self.sides, self.steps = (height, width), (max(1, height // 2), max(1, width // 2))
        super().__init__(n_features, levels, sigma)

    def _width(self, n_features: int) -> int:
        return self.shape[0] * math.prod(self.sides)

    def _learn_centers(self, x: Tensor, output: Tensor) -> None:
        for center, rows in ((self.center, x), (self.output_center, output)):
            mean = planes_of(rows.mean(0, dtype=torch.float64)[None], self.shape)
            mean = mean.mean((2, 3), keepdim=True).expand(1, *self.shape)
            center.copy_(rows_of(mean, self.shape)[0])

    def _learn_variances(self, output: Tensor) -> None:
        n_patches = math.prod(-(-s // t) for s, t in zip(self.shape[1:], self.sides, strict=True))
        rows = output[:: max(1, len(output) * n_patches // _MOST_PATCHES)] - self.output_center
        patches = F.unfold(planes_of(rows, self.shape), self.sides, stride=self.sides)
        super()._learn_variances(patches.transpose(1, 2).reshape(-1, self._width(0)))

    def forward(self, x: Tensor) -> Filtered:
        x = x - self.center
        planes = planes_of(x, self.shape)
        height, width = planes.shape[2:]
        pads = [
            -(size - side) % step
            for size, side, step in zip((height, width), self.sides, self.steps, strict=True)
        ]
        planes = F.pad(planes, (0, pads[1], 0, pads[0]), mode="replicate")
        patches = F.unfold(planes, self.sides, stride=self.steps).transpose(1, 2)
        code = patches @ self.axes.T
        power = code.square()
        noise = self._noise(power)
        # Of shape (n_samples, n_components, n_energies).
        energies = _ENERGIES.to(x) * self.variances[:, None]
        sums = energies + noise[:, :, None]
        evidence = power @ (1 / sums) + sums.log().sum(1, keepdim=True)
        share = (evidence / -2).softmax(2)
        shrinkage = energies / sums
        found = (code * (share @ shrinkage.transpose(1, 2))) @ self.axes
        errors = (share @ (shrinkage * noise[:, :, None]).mean(1)[:, :, None]).expand_as(found)
        size = tuple(planes.shape[2:])

        def image(parts: Tensor) -> Tensor:
            folded = F.fold(parts.transpose(1, 2), size, self.sides, stride=self.steps)
            return rows_of(folded[:, :, :height, :width], self.shape)

        count = image(torch.ones_like(found[:1]))
        rows, error = image(found) / count, image(errors) / count
        return Filtered(rows + self.output_center, x, noise.sqrt(), error)

    def _noise(self, power: Tensor) -> Tensor:
        """Return the variance of the noise of each image, from squared components of patches."""
        k = max(1, int(_SHARE_OF_NOISE * power.shape[2]))
        low, high = self.levels[0].square(), self.levels[-1].square()
        energy = power[:, :, -k:].mean(2)
        # The mean of k squares scatters, so that a low quantile lies below their expectation.
        quiet = 1 - 0.674 * (2 / k) ** 0.5
        rank = max(1, round(_QUIET * energy.shape[1]))
        return (energy.kthvalue(rank, 1).values / quiet)[:, None].clamp(low, high)


def planes_of(rows: Tensor, shape: ImageShape) -> Tensor:
    """Return flattened images as planes.

    Parameters
    ----------
    rows : Tensor of shape (n_samples, n_features)
        Images.
    shape : ImageShape
        Their shape.

    Returns
    -------
    Tensor of shape (n_samples, channels, height, width)
        The same.
    """
    images = rows.reshape(-1, *shape.layout)
    return images.permute(0, 3, 1, 2) if shape.channels_last else images


def rows_of(planes: Tensor, shape: ImageShape) -> Tensor:
    """Return planes as flattened images.

    Parameters
    ----------
    planes : Tensor of shape (n_samples, channels, height, width)
        Images.
    shape : ImageShape
        Their shape.

    Returns
    -------
    Tensor of shape (n_samples, n_features)
        The same.
    """
    images = planes.permute(0, 2, 3, 1) if shape.channels_last else planes
    return images.flatten(1)
