"""Convolutional networks for flattened images."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from .._shapes import checked_image_shape
from ._layers import make_activation
from ._skip import SkipAutoencoder

_LEAST_SIDE = 8


class _Permutation(nn.Module):
    """Puts the axes of a batch into another order."""

    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.axes)


class ConvAutoencoder(SkipAutoencoder):
    """Strided convolutions down to a code, transposed convolutions back to the same image size.

    Every level halves height and width, rounded up; so every size of at least 8 x 8 works, odd ones
    too.

    Parameters
    ----------
    n_features : int
        Number of columns of the data: ``channels * height * width``.
    n_components : int
        Number of columns of the code.
    image_shape : tuple of int
        ``(channels, height, width)``, or ``(height, width)`` for one channel. A row of the data is
        the image flattened in this order, or in the order ``(height, width, channels)`` if the
        shape is unmistakably so, as in (64, 64, 3).
    channels : sequence of int, default=(16, 32)
        Feature maps of each level.
    activation : str, default="gelu"
        Name in ``skae.networks.ACTIVATIONS``.
    batch_normalization : bool, default=False
        Whether batch normalisation follows the convolutions.
    linear_skip : bool, default=True
        Whether linear paths, started from PCA, run beside the convolutions; see
        :class:`~skae.networks.SkipAutoencoder`.
    """

    def __init__(
        self,
        n_features: int,
        n_components: int,
        image_shape: Sequence[int],
        channels: Sequence[int] = (16, 32),
        activation: str = "gelu",
        batch_normalization: bool = False,
        linear_skip: bool = True,
    ) -> None:
        shape = checked_image_shape(image_shape, n_features, min_side=_LEAST_SIDE)
        if min(shape[1:]) < _LEAST_SIDE:
            raise ValueError(
                f"image_shape={tuple(image_shape)} must have at least 8 x 8 pixels, in the order "
                "(channels, height, width)"
            )
        if not channels:
            raise ValueError("channels=() must name at least one level")
        sizes = [shape[1:]]
        for _ in channels:
            height, width = sizes[-1]
            sizes.append((-(-height // 2), -(-width // 2)))
        widths = [shape[0], *channels]

        def finish(width: int) -> list[nn.Module]:
            norm = [nn.BatchNorm2d(width)] if batch_normalization else []
            return [*norm, make_activation(activation)]

        down: list[nn.Module] = [nn.Unflatten(1, shape.layout)]
        if shape.channels_last:
            down.append(_Permutation(0, 3, 1, 2))
        for a, b in pairwise(widths):
            down += [nn.Conv2d(a, b, 3, stride=2, padding=1), *finish(b)]
        deepest = (channels[-1], *sizes[-1])
        down += [nn.Flatten(), nn.Linear(prod(deepest), n_components)]

        up: list[nn.Module] = [nn.Linear(n_components, prod(deepest)), nn.Unflatten(1, deepest)]
        for level in reversed(range(len(channels))):
            # The transposed convolution of an even size leaves out its last row and column.
            height, width = sizes[level]
            padding = (1 - height % 2, 1 - width % 2)
            a, b = widths[level + 1], widths[level]
            up += [
                *finish(a),
                nn.ConvTranspose2d(a, b, 3, stride=2, padding=1, output_padding=padding),
            ]
        if shape.channels_last:
            up.append(_Permutation(0, 2, 3, 1))
        up.append(nn.Flatten())
        super().__init__(
            nn.Sequential(*down), nn.Sequential(*up), n_features, n_components, linear_skip
        )
