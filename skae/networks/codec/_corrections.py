"""Residual networks that correct what rounding takes away."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.1
_SQUARE = 2


class _Residual(nn.Module):
    def __init__(self, width: int, kernel_size: int) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.first = nn.Conv2d(width, width, kernel_size, padding=padding)
        self.second = nn.Conv2d(width, width, kernel_size, padding=padding)
        for parameter in self.second.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.leaky_relu(self.first(F.leaky_relu(x, _SLOPE)), _SLOPE))


class Correction(nn.Module):
    """What a residual network adds to a grid of values: nothing, before it is trained.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Numbers of values at each place of the grid.
    width : int
        Channels of the residual network.
    n_blocks : int
        Its residual blocks.
    kernel_size : int
        How many places a convolution looks at in each direction.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, width: int, n_blocks: int, kernel_size: int
    ) -> None:
        super().__init__()
        self.inner = self._layer(n_inputs, width, kernel_size)
        self.level = nn.Linear(1, width, bias=False)
        self.blocks = nn.Sequential(*[_Residual(width, kernel_size) for _ in range(n_blocks)])
        self.outer = self._layer(width, n_outputs, kernel_size)
        for parameter in (self.level.weight, *self.outer.parameters()):
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, levels: Tensor) -> Tensor:
        """Return what to add.

        Parameters
        ----------
        x : Tensor of shape (n_images, rows, columns, n_inputs)
            Values.
        levels : Tensor of shape (n_images,) or (1,)
            How finely they are rounded, from 0 to 1.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_outputs)
            Differences.
        """
        if not self.training and not self.outer.weight.any():
            bias: Any = self.outer.bias
            return bias.expand(*x.shape[:-1], -1)
        hidden = self._into(x) + self.level(levels[:, None])[..., None, None]
        return self._out_of(F.leaky_relu(self.blocks(hidden), _SLOPE))

    @staticmethod
    def _layer(n_inputs: int, n_outputs: int, kernel_size: int) -> nn.Linear | nn.Conv2d:
        """Return the first or the last layer."""
        return nn.Linear(n_inputs, n_outputs)

    def _into(self, x: Tensor) -> Tensor:
        """Return the first hidden values, channels first."""
        return self.inner(x).movedim(-1, 1)

    def _out_of(self, hidden: Tensor) -> Tensor:
        """Return the differences, channels last."""
        return self.outer(hidden.movedim(1, -1))


class PlaneCorrection(Correction):
    """What a residual network adds to a plane of values: its first and last layer look around."""

    @staticmethod
    def _layer(n_inputs: int, n_outputs: int, kernel_size: int) -> nn.Conv2d:
        return nn.Conv2d(n_inputs, n_outputs, kernel_size, padding=kernel_size // 2)

    def _into(self, x: Tensor) -> Tensor:
        return self.inner(x.movedim(-1, 1))

    def _out_of(self, hidden: Tensor) -> Tensor:
        return self.outer(hidden).movedim(1, -1)


class PixelCorrection(PlaneCorrection):
    """What a residual network adds to images; its grid is that of squares of 2 x 2 pixels.

    Squares of pixels instead of more channels: about as good, and much faster.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    width : int
        Channels of the residual network.
    n_blocks : int
        Its residual blocks.
    kernel_size : int
        How many squares a convolution looks at in each direction.
    """

    def __init__(self, n_channels: int, width: int, n_blocks: int, kernel_size: int) -> None:
        n_values = n_channels * _SQUARE**2
        super().__init__(n_values, n_values, width, n_blocks, kernel_size)

    def forward(self, x: Tensor, levels: Tensor) -> Tensor:
        """Return what to add to images of shape (n_images, height, width, n_channels)."""
        height, width = x.shape[1:3]
        x = F.pad(x.movedim(-1, 1), (0, -width % _SQUARE, 0, -height % _SQUARE), "replicate")
        x = super().forward(F.pixel_unshuffle(x, _SQUARE).movedim(1, -1), levels).movedim(-1, 1)
        return F.pixel_shuffle(x, _SQUARE).movedim(1, -1)[:, :height, :width]
