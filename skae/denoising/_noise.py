"""The noise that is made to learn from, by its name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from .._shapes import ImageShape
from .._units import Units
from ..losses import (
    BlockNoise,
    Corruption,
    GaussianNoise,
    MaskingNoise,
    PoissonNoise,
    SaltAndPepperNoise,
)

NOISES: Mapping[str, type[Corruption]] = {
    "blocks": BlockNoise,
    "gaussian": GaussianNoise,
    "masking": MaskingNoise,
    "poisson": PoissonNoise,
    "salt_and_pepper": SaltAndPepperNoise,
}
IN_UNITS_OF_THE_DATA = ("gaussian", "poisson")
FILLED = ("blocks", "masking")
_MOST_HIT = 0.5  # of the cells, by "auto"
_MOST_ROWS = 1000


def made_noise(
    noise: str | Corruption, level: Any, scale: float, shape: ImageShape | None
) -> Corruption:
    """Return the noise that is made, in the units of the data.

    Parameters
    ----------
    noise : str or Corruption
        Name in ``NOISES``, or the noise itself.
    level : float, tuple of two floats or "auto"
        How strong it is, checked.
    scale : float
        What a level of one is, of noise in the units of the data, for "auto".
    shape : ImageShape or None
        Of images.

    Returns
    -------
    Corruption
        The noise.

    Raises
    ------
    ValueError
        If it needs the shape of images.
    """
    if isinstance(noise, Corruption):
        return noise
    if isinstance(level, str):
        level = (0.0, scale if noise in IN_UNITS_OF_THE_DATA else _MOST_HIT)
    if noise == "masking":
        return MaskingNoise(level, zero=np.nan)
    if noise == "blocks":
        if shape is None:
            raise ValueError("noise='blocks' needs image_shape=(channels, height, width), got None")
        return BlockNoise(level, tuple(shape), shape.channels_last)
    return NOISES[noise](level)


def levels_of(noise: Corruption, X: Any, units: Units) -> tuple[float, float]:
    """Return the least and the largest standard deviation of noise.

    Parameters
    ----------
    noise : Corruption
        In the units of the rows.
    X : ndarray of shape (n_samples, n_features)
        Training data, in their own.
    units : Units
        Those of the rows.

    Returns
    -------
    tuple of two floats
        In the units of the rows.
    """
    levels = noise.level if isinstance(noise.level, tuple) else (noise.level, noise.level)
    if isinstance(noise, GaussianNoise):
        return levels
    rows = torch.from_numpy(units.apply(X[:_MOST_ROWS]))
    found = []
    for level in levels:
        generator = torch.Generator().manual_seed(0)
        errors = replace(noise, level=level)(rows, generator) - rows
        found.append(float(errors.square().nanmean()) ** 0.5)
    return found[0], found[1]
