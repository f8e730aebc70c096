"""The Wiener filter on patches of images that are too large for one on all of their pixels."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .._shapes import ImageShape
from ._patch_mixture import PatchMixture
from ._wiener import Filtered, WienerFilter

_SIDE = 8  # of patches, in pixels
_MOST_PATCHES = 100_000
# Of the patches, and of components by their variance: those that have hardly more than noise.
_QUIET, _SHARE_OF_NOISE = 0.25, 0.25
_TINY = 1e-30
_ENERGIES = 4.0 ** torch.arange(-5, 4)  # of patches, in those of a common one
_STEP, _MOST_MIXED = 3, 96  # of patches that a mixture filters, in pixels; components of them


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
    n_parts : int, default=0
        Number of parts of a mixture of patches (:class:`PatchMixture`), which takes the place of
        those factors; 0 for none. It is for what is left of patches without the mean of each
        channel, which has components of its own.
    """

    _pools_rest = False

    def __init__(
        self,
        n_features: int,
        levels: tuple[float, float],
        sigma: float | None = None,
        *,
        image_shape: ImageShape,
        n_parts: int = 0,
    ) -> None:
        self.shape = image_shape
        height, width = (min(_SIDE, side) for side in image_shape[1:])
        self.sides, self.steps = (height, width), (max(1, height // 2), max(1, width // 2))
        super().__init__(n_features, levels, sigma)
        self.mixture: PatchMixture | None = None
        if n_parts:
            self.steps = (min(height, _STEP), min(width, _STEP))
            n_mixed = min(self._width(n_features) - image_shape[0], _MOST_MIXED)
            self.mixture = PatchMixture(n_parts, n_mixed)

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
        patches = patches.transpose(1, 2).reshape(-1, self._width(0))
        if self.mixture is None:
            super()._learn_variances(patches)
            return
        means = patches.unflatten(1, (self.shape[0], -1)).mean(2)
        super()._learn_variances(self._without_means(patches))
        noise = (self.sigma or 0.0) ** 2
        scatter = means.T.double() @ means.double() / len(means) * math.prod(self.sides)
        values, turns = torch.linalg.eigh(scatter)
        constant = turns.T.flip(0).repeat_interleave(math.prod(self.sides), 1)
        constant = constant / math.prod(self.sides) ** 0.5
        rest = self._without_means(self.axes[: -len(values)])
        self.axes.copy_(torch.cat([constant.to(rest), rest]))
        values = (values.flip(0) - noise).clamp(min=self.variances[-1])
        self.variances.copy_(torch.cat([values.to(rest), self.variances[: -len(values)]]))
        n, n_mixed = len(values), self.mixture.variances.shape[1]
        self.mixture.initialize(patches @ self.axes[n : n + n_mixed].T, noise)

    def _without_means(self, patches: Tensor) -> Tensor:
        """Return patches without the mean of each channel."""
        planes = patches.unflatten(1, (self.shape[0], -1))
        return (planes - planes.mean(2, keepdim=True)).flatten(1)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Filtered:
        """Return the expected clean rows.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Noisy rows.
        noise : Tensor of shape (n_samples, 1) or None, default=None
            Variance of the noise in each; None to find it.

        Returns
        -------
        Filtered
            With the level of noise of each row.
        """
        x = x - self.center
        planes = self._padded(planes_of(x, self.shape))
        code = self._patches(planes) @ self.axes.T
        noise = self._noise(code.square()) if noise is None else noise
        found, errors = self._filtered(code, noise)
        height, width = self.shape[1:]

        def image(parts: Tensor) -> Tensor:
            size = tuple(planes.shape[2:])
            folded = F.fold(parts.transpose(1, 2), size, self.sides, stride=self.steps)
            return folded[:, :, :height, :width]

        weights = torch.ones_like(errors) if self.mixture is None else 1 / errors.clamp(min=_TINY)
        one = torch.ones_like(code[:, :, : math.prod(self.sides)])
        total = image(weights * one)
        error = image(weights * errors * one) / total
        rows = rows_of(image(weights * found) / total, self.shape)
        error = rows_of(error.expand(-1, self.shape[0], -1, -1), self.shape)
        return Filtered(rows + self.output_center, x, noise.sqrt(), error)

    def _padded(self, planes: Tensor) -> Tensor:
        """Return planes that patches cover as a whole."""
        below, beside = (
            -(size - side) % step
            for size, side, step in zip(self.shape[1:], self.sides, self.steps, strict=True)
        )
        return F.pad(planes, (0, beside, 0, below), mode="replicate")

    def _patches(self, planes: Tensor) -> Tensor:
        """Return patches of shape (n_samples, n_patches, pixels), which overlap."""
        return F.unfold(planes, self.sides, stride=self.steps).transpose(1, 2)

    def _filtered(self, code: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return clean patches, and the mean squared error of the pixels of each."""
        if self.mixture is not None:
            noise = noise[:, :, None]
            left = self.variances * noise / (self.variances + noise)
            n, end = self.shape[0], self.shape[0] + self.mixture.variances.shape[1]
            mixed, error = self.mixture(code[:, :, n:end], noise)
            plain = code * (self.variances / (self.variances + noise))
            found = torch.cat([plain[:, :, :n], mixed, plain[:, :, end:]], 2) @ self.axes
            error = error + left[:, :, :n].sum(2, True) + left[:, :, end:].sum(2, True)
            return found, error / self.axes.shape[1]
        # Of shape (n_samples, n_components, n_energies).
        energies = _ENERGIES.to(code) * self.variances[:, None]
        power = code.square()
        sums = energies + noise[:, :, None]
        evidence = power @ (1 / sums) + sums.log().sum(1, keepdim=True)
        share = (evidence / -2).softmax(2)
        shrinkage = energies / sums
        found = (code * (share @ shrinkage.transpose(1, 2))) @ self.axes
        return found, share @ (shrinkage * noise[:, :, None]).mean(1)[:, :, None]

    def _noise(self, power: Tensor) -> Tensor:
        """Return the variance of the noise of each image, from squared components of patches."""
        low, high = self.levels[0].square(), self.levels[-1].square()
        return self._quiet(power).clamp(low, high)

    @property
    def _n_quiet(self) -> int:
        """Number of components that have hardly more than noise."""
        return max(1, int(_SHARE_OF_NOISE * len(self.axes)))

    def _quiet(self, power: Tensor, unit: Tensor | float = 1.0) -> Tensor:
        """Return the mean square of small components where it is low, in units of each patch."""
        k = self._n_quiet
        energy = power[:, :, -k:].mean(2) / unit
        # The mean of k squares scatters, so that a low quantile lies below their expectation.
        quiet = 1 - 0.674 * (2 / k) ** 0.5
        rank = max(1, round(_QUIET * energy.shape[1]))
        return (energy.kthvalue(rank, 1).values / quiet)[:, None]


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
