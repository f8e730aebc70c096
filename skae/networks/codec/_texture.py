"""Texture that rounding has erased, drawn anew."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..._settings import default_settings
from ._corrections import Correction

_LITTLE_NOISE = -3.5  # before the softplus, in steps


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


@lru_cache(maxsize=16)
@default_settings()
def _fixed_noise(rows: int, columns: int, n_components: int) -> Tensor:
    """Return standard normal numbers in float32, the same ones for ever."""
    random = np.random.RandomState(0)  # whose numbers no version of NumPy may change
    return torch.from_numpy(random.standard_normal((rows, columns, n_components))).float()
