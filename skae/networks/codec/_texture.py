"""What rounding has erased, drawn anew: texture of images, noise and overtones of sounds."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..._settings import default_settings
from ._corrections import Correction, PlaneCorrection
from ._signs import random_signs

_LITTLE_NOISE = -3.5  # before the softplus, in steps
_SLOW, _N_SIGNS = 0.3, 4


class Sharpener(Correction):
    """A residual network that strengthens coefficients and adds noise to them.

    Parameters
    ----------
    n_components : int
        Number of coefficients of a patch.
    width : int
        Channels of the residual network.
    n_blocks : int
        Its residual blocks.
    kernel_size : int
        How many patches a convolution looks at in each direction.
    """

    def __init__(self, n_components: int, width: int, n_blocks: int, kernel_size: int) -> None:
        super().__init__(n_components, 2 * n_components, width, n_blocks, kernel_size)

    def detail(self, y: Tensor, levels: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return what to add to coefficients.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Coefficients, each with a variance of about one.
        levels : Tensor of shape (n_images,) or (1,)
            How finely they are rounded, from 0 to 1.
        generator : torch.Generator or None
            Draws the noise; None takes the same noise for all images.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Differences.
        """
        gains, widths = self(y, levels).chunk(2, -1)
        if generator is None:
            noise = _fixed_noise(*y.shape[1:]).to(y)
        else:
            noise = torch.empty_like(y).normal_(generator=generator)
        # Without an offset, which would be a pattern with the period of the patches.
        return gains.tanh() * y + F.softplus(widths + _LITTLE_NOISE) * noise


class SpectralSharpener(PlaneCorrection):
    """A residual network that changes how loud coefficients and noise are, and adds to them.

    Parameters
    ----------
    n_features : int
        Number of features of each place of a spectrogram.
    width : int
        Channels of the residual network.
    n_blocks : int
        Its residual blocks.
    kernel_size : int
        How many places a convolution looks at in each direction.
    """

    def __init__(self, n_features: int, width: int, n_blocks: int, kernel_size: int) -> None:
        super().__init__(n_features + 2, 4, width, n_blocks, kernel_size)

    def detail(
        self,
        seen: Tensor,
        values: Tensor,
        noise: Tensor,
        sizes: Tensor,
        own: Tensor,
        levels: Tensor,
    ) -> Tensor:
        """Return what to add to coefficients.

        Parameters
        ----------
        seen : Tensor of shape (n_planes, n_frames, hop_length, n_features)
            Features.
        values, noise, sizes : Tensor of shape (n_planes, n_frames, hop_length)
            Coefficients, the noise that stands for those that were rounded to zero, and how large
            these are expected to be, all in steps.
        own : Tensor of the same shape
            Further noise, with a variance of one.
        levels : Tensor of shape (n_planes,)
            How finely coefficients were rounded, from 0 to 1.

        Returns
        -------
        Tensor of shape (n_planes, n_frames, hop_length)
            Differences, in steps.
        """
        inputs = torch.cat([seen, torch.stack([(values + noise) / 4, own], -1)], -1)
        of_values, of_noise, of_own, added = self(inputs, levels).unbind(-1)
        louder = values * torch.expm1(_SLOW * of_values) + noise * torch.expm1(of_noise)
        # Silence stays silence.
        added = added * (values.abs() + sizes).clamp(max=1)
        return louder + F.softplus(of_own + _LITTLE_NOISE) * sizes * own + added


def own_noise(start: int, n_rows: int, n_columns: int) -> Tensor:
    """Return nearly normal numbers for each place, from its row and column alone.

    Parameters
    ----------
    start : int
        Number of the first row.
    n_rows, n_columns : int
        How many rows and columns.

    Returns
    -------
    Tensor of shape (n_rows, n_columns)
        Half the sum of four signs, of columns beyond those of :func:`random_signs`.
    """
    signs = random_signs(start, n_rows, (1 + _N_SIGNS) * n_columns)[:, n_columns:]
    return signs.unflatten(1, (_N_SIGNS, n_columns)).sum(1) / 2


@lru_cache(maxsize=16)
@default_settings()
def _fixed_noise(rows: int, columns: int, n_components: int) -> Tensor:
    """Return standard normal numbers in float32, the same ones for ever."""
    random = np.random.RandomState(0)  # whose numbers no version of NumPy may change
    return torch.from_numpy(random.standard_normal((rows, columns, n_components))).float()
