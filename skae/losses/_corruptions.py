"""Corruptions: what a denoising autoencoder has to undo (Vincent et al., JMLR 2010)."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from .._stored import with_values
from .._units import Units


@registered
class Corruption:
    """Base class: a random damage to a batch.

    Parameters
    ----------
    level : float
        How strong the damage is.
    """

    level: float

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

    def _hit(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Choose each cell with probability `level`."""
        return torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype) < self.level


@registered
class GaussianNoise(Corruption):
    """Adds normal noise.

    Parameters
    ----------
    level : float
        Standard deviation of the noise, in the units of the data.
    """

    def in_units(self, units: Units) -> "GaussianNoise":
        return replace(self, level=self.level / units.scale)

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return torch.empty_like(x).normal_(0, self.level, generator=generator).add_(x)


@registered
class MaskingNoise(Corruption):
    """Sets cells to zero; of sparse rows, cells that are stored: the others are zero already.

    Parameters
    ----------
    level : float
        Probability with which a cell is hit.
    zero : float or ndarray of shape (n_features,), default=0.0
        What stands for zero in the rows.
    """

    zero: float | np.ndarray = 0.0

    def in_units(self, units: Units) -> "MaskingNoise":
        return replace(self, zero=units.apply(np.zeros_like(units.offset)))

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


CORRUPTIONS: Mapping[str, type[Corruption]] = {
    "gaussian": GaussianNoise,
    "masking": MaskingNoise,
    "salt_and_pepper": SaltAndPepperNoise,
    "swap": SwapNoise,
}
