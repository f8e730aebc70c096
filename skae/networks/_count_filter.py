"""The filter on patches for counts, whose noise grows with what is counted."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .._shapes import ImageShape
from ._patch_filter import PatchFilter, planes_of
from ._wiener import Filtered

_SHIFT = 3 / 8  # of counts
_GROUP = 3  # patches along each axis, whose noise is also judged together
_TINY = 1e-12
_DARKEST = 0.25  # of the mean of an image: what darker patches count for


class CountFilter(PatchFilter):
    """The filter on patches of images of counts, such as photons.

    Twice the root of a count plus 3 / 8 has noise of about variance one, whatever the count
    (Anscombe, Biometrika 35, 1948). Roots are filtered, and squared without bias (Makitalo and
    Foi, IEEE Transactions on Image Processing 20, 2011). What one count stands for is found for
    each image, where the noise is little for the brightness.

    Parameters
    ----------
    n_features : int
        Number of columns.
    levels : tuple of two floats
        The least and the largest standard deviation of the noise.
    image_shape : ImageShape
        Shape of the images.
    n_parts : int
        Number of parts of a mixture of patches of roots.
    offset : ndarray of shape (n_features,)
        Nothing is ``-offset`` in the rows.
    """

    offset: Tensor
    counts: Tensor

    def __init__(
        self,
        n_features: int,
        levels: tuple[float, float],
        *,
        image_shape: ImageShape,
        n_parts: int,
        offset: np.ndarray,
    ) -> None:
        super().__init__(n_features, levels, image_shape=image_shape)
        self.roots = PatchFilter(n_features, (0.0, 1.0), image_shape=image_shape, n_parts=n_parts)
        self.register_buffer("offset", torch.tensor(np.broadcast_to(offset, n_features).copy()))
        self.register_buffer("counts", torch.ones(2))

    @torch.no_grad()
    def initialize(self, x: Tensor, output: Tensor) -> None:
        super().initialize(x, output)
        values = (output.cpu() + self.offset.to(output).cpu()).clamp(min=0)
        mean = values.mean(dtype=torch.float64).clamp(min=_TINY)
        self.counts.copy_((self.levels[[0, -1]].square() / mean).clamp(min=_TINY))
        roots = (values + _SHIFT * self.counts.mean().to(values)).sqrt()
        self.roots.initialize(roots, roots)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Filtered:
        values = (x + self.offset).clamp(min=0)
        count = self._count(values) if noise is None else noise / values.mean(1, keepdim=True)
        found, _, _, error = self.roots((values + _SHIFT * count).sqrt(), count / 4)
        # Of roots of counts with noise, doubled; they have a lower mean than the root of the mean.
        double = (2 * found / count.sqrt()).clamp(min=2 * _SHIFT**0.5)
        series = 1.5**0.5 / 4 / double - 11 / 8 / double**2 + 5 / 8 * 1.5**0.5 / double**3
        rows = count * (double.square() / 4 + series - 1 / 8).clamp(min=0)
        error = error * count * double.square()
        return Filtered(rows - self.offset, x - self.center, (count * rows).sqrt(), error)

    def _count(self, values: Tensor) -> Tensor:
        """Return what one count stands for in each image."""
        planes = self._padded(planes_of(values, self.shape))
        patches = self._patches(planes)
        means = patches.mean(2)
        power = (patches @ self.axes.T).square()
        lightest = means.maximum(_DARKEST * means.mean(1, keepdim=True)).clamp(min=_TINY)
        count = self._quiet(power, lightest)
        # Where counts are few, quiet patches have none: not so their neighbourhoods.
        grid = [
            (size - side) // step + 1
            for size, side, step in zip(planes.shape[2:], self.sides, self.steps, strict=True)
        ]
        energy = power[:, :, -self._n_quiet :].mean(2)
        energy, means = (
            F.avg_pool2d(part.unflatten(1, grid), [min(_GROUP, n) for n in grid]).flatten(1)
            for part in (energy, means)
        )
        ratio = energy / means.clamp(min=_TINY)
        ratio = torch.where(means < means.mean(1, keepdim=True), torch.inf, ratio)
        count = count.maximum(ratio.amin(1, keepdim=True))
        return count.clamp(*self.counts)
