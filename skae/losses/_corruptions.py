"""Corruptions: what a denoising autoencoder has to undo (Vincent et al., JMLR 2010)."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from .._stored import with_values
from .._units import Units

_LEAST_COUNT = 1e-6  # in units of the data; below, there is no noise to speak of
_N_SHAPES, _TINY = 2, 1e-6  # of rectangles, and as many strokes


@registered
class Corruption:
    """Base class: a random damage to a batch.

    Parameters
    ----------
    level : float or tuple of two floats
        How strong the damage is; of two numbers, each row has a level of its own between them,
        more often a low one than a high one.
    """

    level: float | tuple[float, float]

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return a damaged copy of a batch.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            The batch, left as it is.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            The damaged batch.
        """
        raise NotImplementedError

    def in_units(self, units: Units) -> "Corruption":
        """Return the same damage to rows in other units than those of the data.

        Parameters
        ----------
        units : Units
            Those of the rows.

        Returns
        -------
        Corruption
            Of the same kind.
        """
        return self

    def _level_of(self, x: Tensor, generator: torch.Generator) -> Any:
        """Return the level, or a column of those of the rows."""
        if not isinstance(self.level, tuple):
            return self.level
        low, high = self.level
        share = torch.rand((len(x), 1), generator=generator, device=x.device, dtype=x.dtype)
        return share.square() * (high - low) + low

    def _hit(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Choose each cell with probability `level`."""
        level = self._level_of(x, generator)
        return torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype) < level


@registered
class GaussianNoise(Corruption):
    """Adds normal noise.

    Parameters
    ----------
    level : float or tuple of two floats
        Standard deviation of the noise, in the units of the data.
    """

    def in_units(self, units: Units) -> "GaussianNoise":
        return replace(self, level=_divided(self.level, units.scale))

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        level = self._level_of(x, generator)
        if not isinstance(level, Tensor):
            return torch.empty_like(x).normal_(0, level, generator=generator).add_(x)
        return torch.empty_like(x).normal_(generator=generator).mul_(level).add_(x)


@registered
class PoissonNoise(Corruption):
    """Replaces cells by counts of photons, or whatever else comes one by one.

    Parameters
    ----------
    level : float or tuple of two floats
        What one count stands for, in the units of the data: a cell of the value v has noise of the
        variance ``level * v``. It is the largest value, divided by the "peak" of other texts. Cells
        below zero become zero.
    offset : float or ndarray of shape (n_features,), default=0.0
        What stands for zero in the data is ``-offset`` in the rows.
    """

    offset: float | np.ndarray = 0.0

    def in_units(self, units: Units) -> "PoissonNoise":
        offset = units.offset / units.scale
        return replace(self, level=_divided(self.level, units.scale), offset=offset)

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        offset = torch.as_tensor(self.offset).to(x)
        level = torch.as_tensor(self._level_of(x, generator)).to(x).clamp(min=_LEAST_COUNT)
        rate = (x + offset).clamp(min=0) / level
        return torch.poisson(rate, generator=generator) * level - offset


@registered
class MaskingNoise(Corruption):
    """Sets cells to zero; of sparse rows, cells that are stored: the others are zero already.

    Parameters
    ----------
    level : float
        Probability with which a cell is hit.
    zero : float or ndarray of shape (n_features,), default=0.0
        What stands for zero in the rows; NaN marks the cells as missing instead.
    """

    zero: float | np.ndarray = 0.0

    def in_units(self, units: Units) -> "MaskingNoise":
        return replace(self, zero=units.apply(np.zeros_like(units.offset) + self.zero))

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        if x.layout == torch.sparse_csr:
            values = x.values()
            return with_values(x, values.masked_fill(self._hit(values, generator), 0))
        return torch.where(self._hit(x, generator), torch.as_tensor(self.zero).to(x), x)


@registered
class SaltAndPepperNoise(Corruption):
    """Sets cells to the batch's lowest or highest value.

    Parameters
    ----------
    level : float
        Probability with which a cell is hit.
    """

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        salt = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype) < 0.5
        low, high = x.aminmax()
        return torch.where(self._hit(x, generator), torch.where(salt, high, low), x)


@registered
class SwapNoise(Corruption):
    """Replaces cells by the same column's value in another row.

    Parameters
    ----------
    level : float
        Probability with which a cell is hit.
    """

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        rows = torch.randint(len(x), x.shape, generator=generator, device=x.device)
        return torch.where(self._hit(x, generator), x.gather(0, rows), x)


@registered
class BlockNoise(Corruption):
    """Takes rectangles and strokes out of images: all channels of their pixels become NaN.

    Parameters
    ----------
    level : float or tuple of two floats
        Share of the pixels that are taken, about: shapes overlap, and the border cuts them.
    image_shape : tuple of three ints
        Channels, height and width.
    channels_last : bool, default=False
        Whether rows are images of shape (height, width, channels), flattened.
    """

    image_shape: tuple[int, int, int]
    channels_last: bool = False

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        channels, height, width = self.image_shape
        n = len(x)
        like: Any = {"device": x.device, "dtype": x.dtype}

        def drawn(low: float, high: float) -> Tensor:
            share = torch.rand((n, _N_SHAPES, 1), generator=generator, **like)
            return share * (high - low) + low

        area = torch.as_tensor(self._level_of(x, generator)).to(x).reshape(-1, 1, 1)
        area = area * (height * width / (2 * _N_SHAPES))
        ys = torch.arange(height, **like).repeat_interleave(width)
        xs = torch.arange(width, **like).repeat(height)
        # Shapes that would be longer than the image is are wider instead.
        tall = (area * 2 ** drawn(-1, 1)).sqrt().clamp(area / width, torch.tensor(height).to(x))
        y, z = drawn(0, height) - ys - 0.5, drawn(0, width) - xs - 0.5
        hit = (y.abs() <= tall / 2) & (z.abs() <= area / tall.clamp(min=_TINY) / 2)
        # A stroke is what lies within some distance of a segment.
        angle, half = drawn(0, math.pi), drawn(0.15, 0.4) * min(height, width)
        y, z = drawn(0, height) - ys - 0.5, drawn(0, width) - xs - 0.5
        along = y * angle.sin() + z * angle.cos()
        across = y * angle.cos() - z * angle.sin()
        hit |= (along.abs() <= half) & (across.abs() <= area / half / 4)
        mask = hit.any(1)
        if self.channels_last:
            mask = mask.repeat_interleave(channels, 1)
        else:
            mask = mask.repeat(1, channels)
        return x.masked_fill(mask, math.nan)


def _divided(level: float | tuple[float, float], scale: float) -> float | tuple[float, float]:
    """Return a level in units of a scale."""
    return (level[0] / scale, level[1] / scale) if isinstance(level, tuple) else level / scale


CORRUPTIONS: Mapping[str, type[Corruption]] = {
    "gaussian": GaussianNoise,
    "masking": MaskingNoise,
    "salt_and_pepper": SaltAndPepperNoise,
    "swap": SwapNoise,
}
